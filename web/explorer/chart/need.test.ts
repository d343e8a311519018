import { expect, test } from "vitest";

import { DEFAULT_QUESTION, type Question } from "../question.ts";
import { chooseUnit, needByAmount, needByCountry, needByTime, needByVendor } from "./need.ts";

const AMOUNTS = { minAmount: "5", maxAmount: "9.99" };
const PICKED: Question = { ...DEFAULT_QUESTION, cardType: "Visa", country: "DE", ...AMOUNTS };

test("a chart that picks a condition asks without it, and with all others", () => {
  expect(needByTime(PICKED, "UTC").variables.filter).toEqual({ days: 90, country: "DE", ...AMOUNTS });
  expect(needByCountry(PICKED).variables.filter).toEqual({ days: 90, cardType: "Visa", ...AMOUNTS });
  expect(needByAmount(PICKED).variables.filter).toEqual({ days: 90, cardType: "Visa", country: "DE" });
  expect(needByVendor(PICKED).variables.filter.cardType).toBe("Visa");
});

test("another card or order is no other need of the chart by time", () => {
  const other: Question = { ...PICKED, cardType: "Amex", order: "AMOUNT_ASC" };
  expect(needByTime(other, "UTC")).toEqual(needByTime(PICKED, "UTC"));
});

test("steps of time grow with the window", () => {
  expect([0, 3, 4, 120, 121, 1_100, 36_500, null].map(chooseUnit)).toEqual([
    "HOUR",
    "HOUR",
    "DAY",
    "DAY",
    "WEEK",
    "WEEK",
    "MONTH",
    "MONTH",
  ]);
});
