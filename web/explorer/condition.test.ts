import { expect, test } from "vitest";

import { listConditions, listWider } from "./condition.ts";
import { DEFAULT_QUESTION, type Question } from "./question.ts";

const NARROW: Question = {
  ...DEFAULT_QUESTION,
  days: 7,
  cardType: "Visa",
  country: "US",
  minAmount: "10",
  maxAmount: null,
};

test("each condition that a first visit has not is listed with the change that takes it away", () => {
  expect(listConditions(DEFAULT_QUESTION)).toEqual([]);
  expect(listConditions(NARROW).map(({ text }) => text)).toEqual(["Last 7 days", "Visa", "United States", "from 10"]);
  const cleared = listConditions(NARROW).reduce<Question>(
    (question, { without }) => ({ ...question, ...without }),
    NARROW,
  );
  expect(cleared).toEqual(DEFAULT_QUESTION);
});

test("nothing is wider than all transactions of all time", () => {
  expect(listWider({ ...DEFAULT_QUESTION, days: null })).toEqual([]);
  expect(listWider({ ...NARROW, days: 365 }).map(({ text }) => text)).toEqual([
    "Without Visa",
    "Without United States",
    "Without from 10",
    "All time",
  ]);
});
