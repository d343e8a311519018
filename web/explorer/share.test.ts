import { expect, test } from "vitest";

import { DEFAULT_QUESTION, type Question } from "./question.ts";
import { buildCurl, buildExportPath, buildGraphQL, buildPath, buildPython, listHints } from "./share.ts";

const ORIGIN = "http://127.0.0.1:5000";
const ODD: Question = { ...DEFAULT_QUESTION, cardType: `O'Brien "& Co"`, minAmount: "0.10", maxAmount: "99" };

test("a path has the conditions as REST names them", () => {
  expect(buildPath(DEFAULT_QUESTION)).toBe("/transactions/90");
  expect(buildPath({ ...ODD, country: "US" })).toBe(
    "/transactions/90?card=O%27Brien+%22%26+Co%22&country=US&minAmount=0.10&maxAmount=99",
  );
  expect(buildExportPath({ ...DEFAULT_QUESTION, days: null }, "csv")).toBe("/transactions/36500?format=csv");
});

test("a command is REST's where REST has the order and the window, and GraphQL's elsewhere", () => {
  expect(buildCurl(DEFAULT_QUESTION, ORIGIN, false)).toBe(`curl -sS --compressed '${ORIGIN}/transactions/90'\n`);
  expect(buildCurl({ ...DEFAULT_QUESTION, days: null }, ORIGIN, false)).toContain("/graphql");
  expect(buildCurl({ ...ODD, order: "AMOUNT_DESC" }, ORIGIN, false)).toContain(`O'\\''Brien`);
});

test("a text that asks for one page of rows says so, and has what leads to the next", () => {
  const pages = [buildGraphQL(ODD), buildCurl({ ...ODD, order: "AMOUNT_DESC" }, ORIGIN, false)];
  for (const text of pages) {
    expect(text).toContain("$first: Int = 100");
    expect(text).toContain("pageInfo { hasNextPage endCursor }");
    expect(listHints(text)).toEqual(["It requests the first 100 rows."]);
  }
  expect(listHints(buildCurl(ODD, ORIGIN, true))).toEqual(["Set TXGW_KEY to your key."]);
  expect(listHints(buildPython({ ...ODD, order: "AMOUNT_DESC" }, ORIGIN, false))).toEqual([]);
});

test("an operation holds the question as the defaults of its variables", () => {
  expect(buildGraphQL(ODD)).toContain(
    String.raw`$filter: TransactionFilter = {days: 90, cardType: "O'Brien \"& Co\"", ` +
      'minAmount: "0.10", maxAmount: "99"}',
  );
});

test("copied texts take a key from the environment, and only where there is one", () => {
  for (const build of [buildCurl, buildPython]) {
    expect(build(DEFAULT_QUESTION, ORIGIN, true)).toContain("TXGW_KEY");
    expect(build(DEFAULT_QUESTION, ORIGIN, false)).not.toContain("Authorization");
  }
});
