import { expect, test } from "vitest";

import { formatAmount, formatCardNumber, formatDate, formatWithin } from "./format.ts";

test.each([
  ["1234.5", "USD", "en-US", "$1,234.50"],
  ["1234.5", "EUR", "de-DE", "1.234,50 €"],
  ["9007199254740993.01", "USD", "en-US", "$9,007,199,254,740,993.01"],
  ["100.25", "JPY", "en-US", "¥100.25"],
  ["-0.05", "GBP", "en-GB", "-£0.05"],
  ["7", "XX", "en-US", "7.00 XX"],
  ["7.123", "", "en-US", "7.123"],
])("%s %s is written in %s as %s, with all its digits", (amount, currency, locale, text) => {
  expect(formatAmount(amount, currency, locale).replaceAll(/[\u00a0\u202f]/g, " ")).toBe(text);
});

test("a date is written in the zone and language that are asked for, and what is none as it is", () => {
  const options = { dateStyle: "short", timeStyle: "short", timeZone: "Asia/Tokyo" } as const;
  expect(formatDate("2026-11-23T20:00:00.000Z", options, "de-DE")).toBe("24.11.26, 05:00");
  expect(formatDate("no date", options, "de-DE")).toBe("no date");
});

test("a mask is shortened, a whole number parted, and what is neither stays", () => {
  expect(formatCardNumber("************1111")).toBe("•••• 1111");
  expect(formatCardNumber("4111111111111111")).toBe("4111 1111 1111 1111");
  expect(formatCardNumber("************")).toBe("************");
});

test("a window is told in words", () => {
  expect(formatWithin(1)).toBe("in the last 24 hours");
  expect(formatWithin(null)).toBe("of all time");
});
