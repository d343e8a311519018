// Fails the build when the scripts and styles of the pages have grown beyond what was agreed to.
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** `limit` is in bytes, for all scripts (workers included) and style sheets together, each compressed by gzip. */
export function buildBudget(limit: number): Plugin {
  return {
    name: "budget",
    writeBundle(_options, bundle) {
      const total = Object.values(bundle)
        .filter((file) => /\.(js|css)$/.test(file.fileName))
        .map((file) => gzipSync(file.type === "chunk" ? file.code : file.source).length)
        .reduce((sum, size) => sum + size, 0);
      if (total > limit) {
        this.error(
          `Scripts and styles take ${total.toLocaleString("en")} bytes compressed; the budget in vite.config.ts ` +
            `is ${limit.toLocaleString("en")}. Import less, or raise the budget for a reason.`,
        );
      }
    },
  };
}
