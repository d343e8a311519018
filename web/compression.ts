// Compresses a page's files once, when it is built, for the gateway to send as they are (gateway/pages.py).
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import type { Plugin } from "vite";

// A twentieth smaller than by 9; 11 would take twice as long for a sixtieth.
const QUALITY = 10;
// With its head, an answer of less fills one packet as it is.
const MINIMUM_BYTES = 1_000;

/** Writes `<file>.br` (RFC 7932) beside each file that gains by it; not for the page, which the gateway answers itself. */
export function compressFiles(): Plugin {
  return {
    name: "compression",
    async writeBundle({ dir = "" }, bundle) {
      await Promise.all(
        Object.values(bundle).map(async (file) => {
          const plain = Buffer.from(file.type === "chunk" ? file.code : file.source);
          if (plain.length < MINIMUM_BYTES || file.fileName.endsWith(".html")) {
            return;
          }
          const compressed = await promisify(brotliCompress)(plain, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: QUALITY,
              [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
            },
          });
          await writeFile(join(dir, `${file.fileName}.br`), compressed);
        }),
      );
    },
  };
}
