import { expect, test } from "vitest";

import {
  buildFilter,
  changeField,
  DEFAULT_QUESTION,
  isSameFilter,
  readQuestion,
  writeQuestion,
  type Question,
} from "./question.ts";

const FULL: Question = {
  days: 7,
  cardType: "Diners Club & Söhne",
  country: "US",
  minAmount: "-0.10",
  maxAmount: "999999999999.99",
  order: "AMOUNT_ASC",
};

test.each([
  DEFAULT_QUESTION,
  FULL,
  { ...FULL, days: null },
  { ...DEFAULT_QUESTION, days: 0 },
  { ...FULL, minAmount: null },
])("the address bar brings back the question that it was written for: %j", (question) => {
  expect(readQuestion(writeQuestion(question))).toEqual({ question, faults: {}, unknown: [] });
});

test("a first visit has an address without parameters", () => {
  expect(writeQuestion(DEFAULT_QUESTION)).toBe("");
  expect(readQuestion("").question).toEqual(DEFAULT_QUESTION);
});

test("amounts keep all their digits on the way through the address bar", () => {
  expect(readQuestion("?min=0.1000000000000").question.minAmount).toBe("0.1000000000000");
});

test.each([
  ["?days=x", "days"],
  ["?days=36501", "days"],
  ["?days=-1", "days"],
  ["?country=Germany", "country"],
  [`?card=${"a".repeat(65)}`, "card"],
  ["?card=a%00b", "card"],
  ["?min=1e3", "min"],
  ["?max=1,5", "max"],
  ["?max=1234567890.123456", "max"],
  ["?order=vendor", "order"],
] as const)("%s is told as a fault of %s, and not applied", (search, field) => {
  const { question, faults } = readQuestion(search);
  expect(Object.keys(faults)).toEqual([field]);
  expect(faults[field]?.text).toBe(new URLSearchParams(search).get(field));
  expect(question).toEqual(DEFAULT_QUESTION);
});

test("a smallest amount above the largest is told, whatever the length of their digits", () => {
  const { question, faults } = readQuestion("?min=10&max=9.99");
  expect(faults.min?.message).toContain("10, is more than the largest, 9.99");
  expect(question.maxAmount).toBe("9.99");
  expect(readQuestion("?min=9.99&max=10").faults).toEqual({});
  expect(readQuestion("?min=10.0&max=10").faults).toEqual({});
});

test("a parameter that the page does not know is told", () => {
  expect(readQuestion("?crad=Visa&days=7").unknown).toEqual(["crad"]);
});

test("a text at fault leaves the question as it was, and is told at its field until it is corrected", () => {
  const before = readQuestion(writeQuestion(FULL));
  const faulty = changeField(before, "max", "-5");
  expect(faulty.question).toBe(before.question);
  expect(faulty.faults.max?.text).toBe("-5");
  const corrected = changeField(faulty, "max", " 5 ");
  expect(corrected.question).toEqual({ ...FULL, maxAmount: "5" });
  expect(corrected.faults).toEqual({});
});

test("an emptied field takes its condition away", () => {
  expect(changeField(readQuestion(writeQuestion(FULL)), "card", "").question.cardType).toBeNull();
});

test("the filter has the conditions that are applied, and no others", () => {
  expect(buildFilter({ ...DEFAULT_QUESTION, country: "DE" })).toEqual({ days: 90, country: "DE" });
  expect(buildFilter({ ...DEFAULT_QUESTION, days: null })).toEqual({});
});

test("questions that differ in their order alone have the same transactions", () => {
  expect(isSameFilter(FULL, { ...FULL, order: "DATE_DESC" })).toBe(true);
  expect(isSameFilter(FULL, { ...FULL, days: 8 })).toBe(false);
});
