import { defineConfig } from "vite";

import { type Budget, buildBudget } from "./budget.ts";
import { compressFiles } from "./compression.ts";
import { listDocuments } from "./documents.ts";
import { buildNotices } from "./notices.ts";

// Each page is built separately, `vite build --mode <page>`, with its own budget, slightly above its current size.
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
      // The workers only load their formatter on demand, which requires modules.
      format: "es",
      plugins: () => [notices.worker],
    },
    build: {
      outDir: `../dist/${page}`,
      emptyOutDir: true,
      chunkSizeWarningLimit: Infinity, // the budgets above replace it
      rolldownOptions: {
        checks: { pluginTimings: false, bundlerTimings: false }, // compression is slow
        onLog(level, log, report) {
          // "use client" and similar directives are for servers and compilers, which are not used here.
          if (log.code !== "MODULE_LEVEL_DIRECTIVE") {
            report(level, log);
          }
        },
      },
    },
  };
});
