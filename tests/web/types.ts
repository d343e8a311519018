// Prints the types of the explorer's operations (web/explorer/operations.ts) for the SDL file that is named.
// An operation that does not fit the SDL is a fault: its places are printed instead.
import { readFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as operations from "@graphql-codegen/typescript-operations";
import { buildSchema, parse, Source, validate } from "graphql";

import { loadDocuments } from "./pages/documents.ts";

const HEADER = `// What the explorer's operations take and give, by schema/schema.graphql.
// Written by \`python -m tests.web_types --write\`: change the operations or the schema, not this file.
`;
// As JSON carries them.
const SCALARS = { Decimal: "string", DateTime: "string", _Any: "never" };

const [, , path = ""] = process.argv;
const sdl = readFileSync(path, "utf8");
// Federation's directives are not defined in the SDL of a subgraph.
const schemaAst = buildSchema(sdl, { assumeValidSDL: true });
const documents = loadDocuments("pages/explorer").map(({ file, text }) => ({
  location: file,
  document: parse(new Source(text, file)),
}));
const faults = documents.flatMap(({ document }) => validate(schemaAst, document));
if (faults.length > 0) {
  console.error(faults.join("\n\n"));
  process.exit(1);
}
const types = await codegen({
  schema: parse(sdl),
  schemaAst,
  documents,
  filename: "operations.ts",
  config: {},
  plugins: [{ operations: { scalars: SCALARS, strictScalars: true, skipTypename: true, useTypeImports: true } }],
  pluginMap: { operations },
});
process.stdout.write(`${HEADER}\n${types.trim()}\n`);
