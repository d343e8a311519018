import { defineConfig } from "vite";

import { buildBudget } from "./budget.ts";
import { buildNotices } from "./notices.ts";

const notices = buildNotices("THIRD_PARTY.md");

export default defineConfig({
  root: "graphiql",
  base: "/static/graphiql/",
  publicDir: false,
  plugins: [notices.page, buildBudget(2_200_000)],
  worker: {
    // The workers load their formatter only when asked to format, which needs modules.
    format: "es",
    plugins: () => [notices.worker],
  },
  build: {
    outDir: "../dist/graphiql",
    emptyOutDir: true,
    chunkSizeWarningLimit: Infinity, // the budget above counts the whole
    rolldownOptions: {
      onLog(level, log, report) {
        // "use client" and its like concern servers and compilers; here are none.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") {
          report(level, log);
        }
      },
    },
  },
});
