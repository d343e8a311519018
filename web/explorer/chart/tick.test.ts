import { expect, test } from "vitest";

import type { Unit } from "./need.ts";
import { buildTicks, nameStart } from "./tick.ts";

const DAY_MS = 86_400_000;

function listDays(first: string, count: number, step = 1): string[] {
  return Array.from({ length: count }, (_, day) =>
    new Date(Date.parse(`${first}T00:00:00Z`) + day * step * DAY_MS).toISOString().replace(".000Z", "+00:00"),
  );
}

function label(starts: readonly string[], unit: Unit, most: number): string[] {
  return buildTicks(starts, unit, most, "en-GB").map((tick) => tick.label);
}

test("ninety days have their Mondays where there is room, and else their months", () => {
  const days = listDays("2026-08-26", 91);
  expect(label(days, "DAY", 14).slice(0, 2)).toEqual(["31 Aug", "7 Sept"]);
  expect(label(days, "DAY", 4)).toEqual(["Sept", "Oct", "Nov"]);
});

test("a month has all its days only where there is room for all", () => {
  const days = listDays("2026-11-01", 7);
  expect(label(days, "DAY", 7)).toHaveLength(7);
  expect(label(days, "DAY", 6)).toEqual(["2 Nov", "4 Nov", "6 Nov"]);
});

test("where a year begins among months or weeks, it is told instead", () => {
  const months = Array.from({ length: 14 }, (_, month) => new Date(Date.UTC(2025, 10 + month, 1)).toISOString());
  expect(label(months, "MONTH", 14).slice(0, 4)).toEqual(["Nov", "Dec", "2026", "Feb"]);
  expect(label(listDays("2025-12-01", 12, 7), "WEEK", 4)).toEqual(["Dec", "2026", "Feb"]);
});

test("where an hour's day begins, the day is told", () => {
  const hours = Array.from({ length: 25 }, (_, hour) => new Date(Date.UTC(2026, 10, 2, hour + 12)).toISOString());
  expect(label(hours, "HOUR", 3)).toEqual(["12", "3 Nov", "12"]);
});

test.each<Unit>(["HOUR", "DAY", "WEEK", "MONTH"])("there are never more than fit, of %s either", (unit) => {
  const starts = listDays("1999-01-04", 600, unit === "MONTH" ? 31 : 1);
  for (let most = 1; most <= 20; most++) {
    expect(label(starts, unit, most).length).toBeLessThanOrEqual(most);
  }
});

test("a step is named by the clocks of its zone", () => {
  expect(nameStart("2026-11-03T00:00:00+09:00", "DAY", "en-GB")).toBe("Tue, 3 Nov 2026");
  expect(nameStart("2026-11-02T00:00:00+01:00", "WEEK", "en-GB")).toBe("Week of 2 Nov 2026");
});
