import { expect, test } from "vitest";

import type { TimeGroup } from "./need.ts";
import { buildTimeline, countDaysSince, foldCards, NO_CARD, selectCard, stack } from "./timeline.ts";

const [FIRST, SECOND] = ["2026-11-01T00:00:00+01:00", "2026-11-02T00:00:00+01:00"] as const;

function group(day: string, cardType: string | null, count: number): TimeGroup {
  return { day, cardType, count, hour: null, week: null, month: null };
}

const GROUPS = [
  group(FIRST, "Amex", 1),
  group(FIRST, "Visa", 5),
  group(SECOND, "Visa", 7),
  group(SECOND, null, 2),
];

test("cards come with most transactions first, and each step has a count of each", () => {
  const { starts, cards, totals, total } = buildTimeline(GROUPS, "DAY");
  expect(starts).toEqual([FIRST, SECOND]);
  expect(cards.map(({ name, counts }) => [name, ...counts])).toEqual([
    ["Visa", 5, 7],
    [NO_CARD, 0, 2],
    ["Amex", 1, 0],
  ]);
  expect(totals).toEqual([6, 9]);
  expect(total).toBe(15);
});

test("a blank card type is none", () => {
  const { cards } = buildTimeline([...GROUPS, group(FIRST, "", 3), group(SECOND, " ", 4)], "DAY");
  expect(cards.find(({ name }) => name === NO_CARD)?.counts).toEqual([3, 6]);
});

test("the topmost layer reaches the total of all cards", () => {
  const timeline = buildTimeline(GROUPS, "DAY");
  expect(stack(timeline).at(-1)).toEqual(timeline.totals);
});

test("a card is selected in whatever case it is written", () => {
  const { cards, totals } = selectCard(buildTimeline(GROUPS, "DAY"), "VISA");
  expect(cards.map(({ name }) => name)).toEqual(["Visa"]);
  expect(totals).toEqual([5, 7]);
});

test("transactions without a card are not those of any card", () => {
  expect(selectCard(buildTimeline(GROUPS, "DAY"), "Maestro").total).toBe(0);
});

test("cards beyond those that colours tell apart are taken together, and none is lost", () => {
  const names = Array.from({ length: 12 }, (_, position) => `Card ${position}`);
  const timeline = buildTimeline(names.map((name, position) => group(FIRST, name, 20 - position)), "DAY");
  const folded = foldCards(timeline);
  expect(folded.cards).toHaveLength(7);
  expect(folded.cards.at(-1)?.name).toBe("6 other cards");
  expect(stack(folded).at(-1)).toEqual(timeline.totals);
});

test("empty months before the first transaction are left out, empty days are not", () => {
  const months = [0, 0, 3].map((count, position) => ({
    ...group("", "Visa", count),
    month: `2026-0${position + 1}-01T00:00`,
  }));
  expect(buildTimeline(months, "MONTH").starts).toEqual(["2026-03-01T00:00"]);
  const days = [group(FIRST, "Visa", 0), group(SECOND, "Visa", 1)];
  expect(buildTimeline(days, "DAY").starts).toEqual([FIRST, SECOND]);
});

test("a window since a step holds its first moment, and at least a day", () => {
  const now = Date.parse("2026-11-03T12:00:00+01:00");
  expect(countDaysSince(FIRST, now)).toBe(3);
  expect(countDaysSince("2026-11-03T11:00:00+01:00", now)).toBe(1);
});
