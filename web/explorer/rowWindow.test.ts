import { expect, test } from "vitest";

import { buildRowWindow, findShift, limitRows, moveRow, revealRow } from "./rowWindow.ts";

const HEIGHT = 36;

test("each row that is seen is in the window, wherever the table is scrolled to", () => {
  for (const top of [-50, 0, 1, 35, 36, 37, 3_599_964, 3_600_000, 9_999_999]) {
    const { first, end } = buildRowWindow(top, 500, HEIGHT, 100_000);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(end).toBeLessThanOrEqual(100_000);
    expect(first * HEIGHT).toBeLessThanOrEqual(Math.max(0, top));
    expect(end === 100_000 || end * HEIGHT >= top + 500).toBe(true);
    expect(end - first).toBeLessThan(50);
  }
});

test("a table without rows, or without height, has an empty window", () => {
  expect(buildRowWindow(0, 500, HEIGHT, 0)).toEqual({ first: 0, end: 0 });
  expect(buildRowWindow(720, 0, HEIGHT, 10)).toEqual({ first: 0, end: 10 });
});

test("a table is never taller than a browser draws", () => {
  expect(limitRows(10_000_000, HEIGHT) * HEIGHT).toBeLessThan(17_000_000);
  expect(limitRows(200_000, HEIGHT)).toBe(200_000);
});

test("a row is revealed by the least scroll", () => {
  expect(revealRow(5, 0, 360, HEIGHT)).toBe(0);
  expect(revealRow(10, 0, 360, HEIGHT)).toBe(36);
  expect(revealRow(2, 360, 360, HEIGHT)).toBe(72);
});

test.each([
  ["ArrowDown", 6],
  ["ArrowUp", 4],
  ["PageDown", 14],
  ["PageUp", 0],
  ["Home", 0],
  ["End", 99],
  ["a", null],
] as const)("%s leads from row 5 of 100 to row %s", (key, row) => {
  expect(moveRow(key, 5, 100, 10 * HEIGHT, HEIGHT)).toBe(row);
});

test("a row that was seen is found again where others came in above it", () => {
  const rows = ["new", "newer", "a", "b"].map((id) => ({ id }));
  expect(findShift(rows, { id: "a", index: 0 })).toBe(2);
  expect(findShift(rows, { id: "a", index: 2 })).toBe(0);
  expect(findShift(rows, { id: "gone", index: 0 })).toBe(0);
});
