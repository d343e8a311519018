import { defineConfig } from "vite";

import { type Budget, buildBudget } from "./budget.ts";
import { compressFiles } from "./compression.ts";
import { listDocuments } from "./documents.ts";
import { buildNotices } from "./notices.ts";

// Each page is built by itself, `vite build --mode <page>`, with a budget of its own, close above what it takes.
const budgets: Record<string, Budget> = {
  graphiql: { first: 720_000, whole: 2_150_000 },
  explorer: { first: 40_000, whole: 70_000 },
  docs: { first: 470_000, whole: 470_000 },
};

export default defineConfig(({ mode: page }) => {
  const budget = budgets[page];
  if (budget === undefined) {
    throw new Error(`There is no page ${page}; name one: vite build --mode ${Object.keys(budgets).join(" | ")}`);
  }
  const notices = buildNotices("THIRD_PARTY.txt");
  return {
    root: page,
    base: `/static/${page}/`,
    publicDir: false,
    plugins: [notices.page, listDocuments("documents.json"), buildBudget(budget), compressFiles()],
    worker: {
      // The workers load their formatter only when asked to format, which needs modules.
      format: "es",
      plugins: () => [notices.worker],
    },
    build: {
      outDir: `../dist/${page}`,
      emptyOutDir: true,
      chunkSizeWarningLimit: Infinity, // the budget above is for what counts
      rolldownOptions: {
        checks: { pluginTimings: false, bundlerTimings: false }, // to compress takes its time
        onLog(level, log, report) {
          // "use client" and its like concern servers and compilers; here are none.
          if (log.code !== "MODULE_LEVEL_DIRECTIVE") {
            report(level, log);
          }
        },
      },
    },
  };
});
