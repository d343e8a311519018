import { expect, test } from "vitest";

import { buildTimeline } from "./timeline.ts";
import { describeStep, describeTimeline } from "./words.ts";

const GROUPS = [
  ["2026-11-01T00:00:00+01:00", "Visa", 1_000],
  ["2026-11-02T00:00:00+01:00", "Visa", 2],
  ["2026-11-02T00:00:00+01:00", "Amex", 30],
] as const;
const TIMELINE = buildTimeline(
  GROUPS.map(([day, cardType, count]) => ({ day, cardType, count, hour: null, week: null, month: null })),
  "DAY",
);

test("who hears the picture learns how many there are, when most, and of which cards", () => {
  expect(describeTimeline(TIMELINE, "en-GB")).toBe(
    "1,032 transactions in 2 days, most of them Sun, 1 Nov 2026, 1,000. Visa 1,002, Amex 30.",
  );
});

test("each step is told with its cards", () => {
  expect(describeStep(TIMELINE, 1, "en-GB")).toBe("Mon, 2 Nov 2026: 32 transactions; Visa 2, Amex 30");
});
