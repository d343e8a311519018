import { expect, test } from "vitest";

import { formatCountry, listCountries, readCountry, searchCountries } from "./country.ts";

test("all countries are listed by name, and nothing that is none", () => {
  const codes = listCountries();
  expect(codes.length).toBeGreaterThan(240);
  expect(codes).toContain("XK");
  expect(codes).not.toContain("EU");
  expect(new Set(codes).size).toBe(codes.length);
});

test("a country is found by the beginning of a word of its name, or of its code, whatever the accents", () => {
  const codes = listCountries();
  expect(searchCountries(codes, "united")).toEqual(expect.arrayContaining(["AE", "GB", "US"]));
  expect(searchCountries(codes, "cote")).toContain("CI");
  expect(searchCountries(codes, "de")).toContain("DE");
});

test("a whole name means its code, and what is none is left to be judged", () => {
  expect(readCountry(listCountries(), " germany ")).toBe("DE");
  expect(readCountry(listCountries(), "usa")).toBe("usa");
  expect(formatCountry("USA")).toBe("USA");
  expect(formatCountry("us")).toBe("United States");
});
