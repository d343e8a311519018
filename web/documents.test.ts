import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { loadDocuments } from "./documents.ts";

let page: string;
beforeEach(() => {
  page = mkdtempSync(join(tmpdir(), "page-"));
});
afterEach(() => rmSync(page, { recursive: true }));

test("each marked template of a page is a document, as it will be sent", () => {
  mkdirSync(join(page, "chart"));
  writeFileSync(join(page, "chart", "b.tsx"), "const a = /* GraphQL */ `{ a }`;\nconst b = /* GraphQL */ `\n  { b }\n`;");
  writeFileSync(join(page, "a.ts"), "const a = `{ unmarked }`; const b = /* GraphQL */ `{ c }`;");
  writeFileSync(join(page, "a.test.ts"), "const a = /* GraphQL */ `{ tested }`;");
  expect(loadDocuments(page)).toEqual([
    { file: "a.ts", text: "{ c }" },
    { file: join("chart", "b.tsx"), text: "{ a }" },
    { file: join("chart", "b.tsx"), text: "\n  { b }\n" },
  ]);
});

test("a document whose text is known only while the page runs is refused", () => {
  writeFileSync(join(page, "a.ts"), "const a = /* GraphQL */ `{ ${field} }`;");
  expect(() => loadDocuments(page)).toThrow("a.ts: a GraphQL document may hold neither");
});
