// Finds the GraphQL documents in a page's modules. It does not validate them against the schema.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

export interface PageDocument {
  /** The file that holds it, relative to the page's folder. */
  file: string;
  text: string;
}

const MARKED = /\/\* GraphQL \*\/\s*`([^`]*)`/g;

/**
 * Returns each template marked with `/* GraphQL *\/`, in order of files and lines, as the page will send it.
 * Throws if a template has placeholders or escapes, because its text would only be known at run time.
 */
export function loadDocuments(page: string): PageDocument[] {
  return readdirSync(page, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".test.ts"))
    .sort()
    .flatMap((file) =>
      [...readFileSync(join(page, file), "utf8").matchAll(MARKED)].map(([, text = ""]) => {
        if (/\\|\$\{/.test(text)) {
          throw new Error(`${file}: a GraphQL document may hold neither \${…} nor a backslash; write it out.`);
        }
        return { file, text };
      }),
    );
}

/**
 * Writes `fileName`, the page's documents by their SHA-256, if it has any: a gateway that only answers trusted documents
 * also answers these (gateway/documents.py).
 */
export function listDocuments(fileName: string): Plugin {
  let page: string;
  return {
    name: "documents",
    configResolved(config) {
      page = config.root;
    },
    generateBundle() {
      const texts = loadDocuments(page).map(({ text }) => text);
      if (texts.length > 0) {
        const manifest = Object.fromEntries(texts.map((text) => [createHash("sha256").update(text).digest("hex"), text]));
        this.emitFile({ type: "asset", fileName, source: JSON.stringify(manifest, null, 2) });
      }
    },
  };
}
