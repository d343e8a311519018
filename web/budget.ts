// Fails the build if what a page loads exceeds its budget.
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** Sizes in bytes, each file compressed with gzip. */
export interface Budget {
  /** What a browser fetches at once: the page, its script with static imports, and their style sheets. */
  first: number;
  /** All scripts and style sheets, including those imported later, and workers. */
  whole: number;
}

export function buildBudget(budget: Budget): Plugin {
  return {
    name: "budget",
    writeBundle(_options, bundle) {
      const parts = {
        first: [...findFirst(bundle)],
        whole: Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name)),
      };
      for (const part of ["first", "whole"] as const) {
        const sizes = parts[part].map((name): [string, number] => [name, gzipSync(read(bundle, name)).length]);
        const total = sizes.reduce((sum, [, size]) => sum + size, 0);
        if (total > budget[part]) {
          const list = sizes.map(([name, size]) => `  ${name} ${size.toLocaleString("en")}`).join("\n");
          this.error(
            `The page takes ${total.toLocaleString("en")} bytes compressed; its budget \`${part}\` in vite.config.ts is ` +
              `${budget[part].toLocaleString("en")}. Import less, or later, or raise the budget for a reason.\n${list}`,
          );
        }
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
