// Fails the build when what a page loads first has grown beyond what was agreed to.
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/**
 * `limit` is in bytes, each file compressed by gzip: those that a browser fetches before the page works, which are the
 * page, its script with what that imports, and their style sheets. What is imported later, workers included, is free.
 */
export function buildBudget(limit: number): Plugin {
  return {
    name: "budget",
    writeBundle(_options, bundle) {
      const sizes = [...findFirst(bundle)].map((name): [string, number] => [name, gzipSync(read(bundle, name)).length]);
      const total = sizes.reduce((sum, [, size]) => sum + size, 0);
      if (total > limit) {
        const list = sizes.map(([name, size]) => `  ${name} ${size.toLocaleString("en")}`).join("\n");
        this.error(
          `The page first loads ${total.toLocaleString("en")} bytes compressed; its budget in vite.config.ts is ` +
            `${limit.toLocaleString("en")}. Import less, or later, or raise the budget for a reason.\n${list}`,
        );
      }
    },
  };
}

function findFirst(bundle: Rolldown.OutputBundle): Set<string> {
  const first = new Set<string>();
  function add(name: string): void {
    const file = bundle[name];
    if (file === undefined || first.has(name)) {
      return;
    }
    first.add(name);
    if (file.type === "chunk") {
      file.viteMetadata?.importedCss.forEach(add);
      file.imports.forEach(add);
    }
  }
  for (const file of Object.values(bundle)) {
    if ((file.type === "chunk" && file.isEntry) || file.fileName.endsWith(".html")) {
      add(file.fileName);
    }
  }
  return first;
}

function read(bundle: Rolldown.OutputBundle, name: string): string | Uint8Array {
  const file = bundle[name];
  return file?.type === "chunk" ? file.code : (file?.source ?? "");
}
