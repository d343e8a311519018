import { expect, test } from "vitest";

import { buildRanges, isPicked, nameBound, nameRange, pickRange, type AmountRange } from "./range.ts";

const NONE = { minAmount: null, maxAmount: null };
const RANGES = buildRanges([
  { amountRange: null, count: 2 },
  { amountRange: "5.00", count: 3 },
  { amountRange: "1000000.00", count: 1 },
]);

function find(minAmount: string): AmountRange {
  const range = RANGES.find((candidate) => candidate.minAmount === minAmount);
  if (range === undefined) {
    throw new Error(`There is no range from ${minAmount}.`);
  }
  return range;
}

test("ranges go from the first that holds something to the last, and leave no cent out between them", () => {
  expect(RANGES).toHaveLength(21);
  expect(RANGES.map(({ count }) => count).filter((count) => count > 0)).toEqual([2, 3, 1]);
  for (const [position, range] of RANGES.slice(1).entries()) {
    const before = Number(RANGES[position]?.maxAmount);
    expect(Number(range.minAmount) - before).toBeCloseTo(0.0001, 6);
  }
});

test("without transactions there are no ranges", () => {
  expect(buildRanges([])).toEqual([]);
});

test("a range that is picked is asked for, and picked again no more", () => {
  const picked = pickRange(find("5"), NONE, false);
  expect(picked).toEqual({ minAmount: "5", maxAmount: "9.9999" });
  expect(isPicked(find("5"), picked)).toBe(true);
  expect(isPicked(find("10"), picked)).toBe(false);
  expect(pickRange(find("5"), { minAmount: "5.00", maxAmount: "9.99990" }, false)).toEqual(NONE);
});

test("further ranges are taken with those between them, on either side", () => {
  const first = pickRange(find("10"), NONE, true);
  expect(pickRange(find("50"), first, true)).toEqual({ minAmount: "10", maxAmount: "99.9999" });
  expect(pickRange(find("2"), first, true)).toEqual({ minAmount: "2", maxAmount: "19.9999" });
  expect(pickRange(find("1000000"), first, true)).toEqual({ minAmount: "10", maxAmount: null });
});

test("ranges that the question holds in part are marked too", () => {
  const held = RANGES.filter((range) => isPicked(range, { minAmount: "15", maxAmount: null })).map(nameFirst);
  expect(held.slice(0, 2)).toEqual(["10", "20"]);
  expect(RANGES.some((range) => isPicked(range, NONE))).toBe(false);
});

test("each range has a name of its own", () => {
  expect(RANGES.map((range) => nameRange(range, "en")).slice(0, 3)).toEqual(["below 0", "0 to 0.99", "1 to 1.99"]);
  expect(nameRange(find("1000000"), "en")).toBe("1,000,000 or more");
  expect([find("5000"), find("1000000")].map((range) => nameBound(range, "en"))).toEqual(["5K", "1M"]);
});

function nameFirst(range: AmountRange): string | null {
  return range.minAmount;
}
