// Runs the tests that stand beside the pages' modules; they need no browser, for that is tests/e2e.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["pages/**/*.test.ts"], passWithNoTests: true, unstubGlobals: true },
});
