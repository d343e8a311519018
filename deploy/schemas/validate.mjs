// Validates custom resources, a JSON array in the given file, against their schemas, and with TypeScript types to find
// unknown keys, which a cluster would silently drop. Prints faults; the exit code is 1 if there are any.
import { readFileSync } from "node:fs";
import ts from "typescript";

const packages = {
  "external-secrets.io": "@kubernetes-models/external-secrets",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
  "networking.istio.io": "@kubernetes-models/istio",
};
const source = "resources.ts";
const resources = JSON.parse(readFileSync(process.argv[2], "utf8"));
const lines = [];

function report(fault) {
  console.error(fault);
  process.exitCode = 1;
}

for (const [index, resource] of resources.entries()) {
  const { apiVersion, kind, metadata } = resource;
  const path = `${packages[apiVersion.split("/")[0]]}/${apiVersion}/${kind}`;
  lines.push(
    `import type { I${kind} as Type${index} } from "${path}"; export const resource${index}: Type${index} = ${JSON.stringify(resource)};`,
  );
  try {
    const library = await import(path);
    new library[kind](resource).validate();
  } catch (fault) {
    report(`${apiVersion} ${kind} ${metadata.name}: ${fault.message}`);
  }
}

const options = { noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext, types: [] };
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists } = host;
host.fileExists = (name) => name === source || fileExists(name);
host.getSourceFile = (name, target) =>
  name === source ? ts.createSourceFile(name, lines.join("\n"), target) : getSourceFile(name, target);
for (const { file, start, messageText } of ts.getPreEmitDiagnostics(ts.createProgram([source], options, host))) {
  const { kind, metadata } = file ? resources[file.getLineAndCharacterOfPosition(start).line] : {};
  report(`${kind} ${metadata?.name}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
}
