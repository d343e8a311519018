import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { findHue, NEUTRAL } from "./hue.ts";

type Colour = readonly [number, number, number];

const STYLES = ["chart.css", "../theme.css"]
  .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"))
  .join("\n");
const CARDS = ["Visa", "Mastercard", "Amex", "Maestro", "Discover"];
const SCHEMES = ["light", "dark"] as const;
// Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
const BLINDNESS = {
  none: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
// In OKLab: about four times the smallest difference that is visible between adjacent colours.
const APART = 0.1;

function readColour(name: string, scheme: (typeof SCHEMES)[number]): Colour {
  const pair = new RegExp(`--${name}:[^;]*light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(STYLES);
  const text = pair?.[scheme === "light" ? 1 : 2];
  if (text === undefined) {
    throw new Error(`chart.css has no colours --${name}.`);
  }
  const channel = (start: number): number => {
    const value = Number.parseInt(text.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

function getContrast(one: Colour, other: Colour): number {
  const [light = 0, dark = 0] = [one, other]
    .map(([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue)
    .sort((first, second) => second - first);
  return (light + 0.05) / (dark + 0.05);
}

function multiply(matrix: readonly number[], [x, y, z]: Colour): Colour {
  const row = (start: number): number =>
    (matrix[start] ?? 0) * x + (matrix[start + 1] ?? 0) * y + (matrix[start + 2] ?? 0) * z;
  return [row(0), row(3), row(6)];
}

/** Björn Ottosson's OKLab, in which distances correspond to perceived differences. */
function toLab(colour: Colour): Colour {
  const cones = multiply(
    [
      0.4122214708, 0.5363325363, 0.0514459929,
      0.2119034982, 0.6806995451, 0.1073969566,
      0.0883024619, 0.2817188376, 0.6299787005,
    ],
    colour,
  );
  return multiply(
    [
      0.2104542553, 0.793617785, -0.0040720468,
      1.9779984951, -2.428592205, 0.4505937099,
      0.0259040371, 0.7827717662, -0.808675766,
    ],
    [Math.cbrt(cones[0]), Math.cbrt(cones[1]), Math.cbrt(cones[2])],
  );
}

test("a card keeps its colour in whatever case it is written, and the known ones have one each", () => {
  expect(new Set(CARDS.map(findHue)).size).toBe(CARDS.length);
  expect(CARDS.map((card) => findHue(card.toUpperCase()))).toEqual(CARDS.map(findHue));
  expect(findHue(null)).toBe(NEUTRAL);
});

test("other cards have the colour of no known one", () => {
  for (const card of ["UnionPay", "JCB", "Diners Club", "Elo", ""]) {
    expect(findHue(card)).toBeGreaterThanOrEqual(CARDS.length);
    expect(findHue(card)).toBeLessThan(NEUTRAL);
  }
});

test.each(SCHEMES)("each colour stands out from the ground by 3:1 (WCAG 1.4.11) in %s", (scheme) => {
  const ground = readColour("surface", scheme);
  for (let hue = 0; hue <= NEUTRAL; hue++) {
    expect(getContrast(readColour(`hue-${hue}`, scheme), ground), `hue ${hue}`).toBeGreaterThanOrEqual(3);
  }
});

test.each(SCHEMES.flatMap((scheme) => Object.entries(BLINDNESS).map(([name, matrix]) => ({ scheme, name, matrix }))))(
  "the known cards look different in $scheme with colour blindness $name",
  ({ scheme, matrix }) => {
    const seen = CARDS.map((card) => toLab(multiply(matrix, readColour(`hue-${findHue(card)}`, scheme))));
    for (const [position, one] of seen.entries()) {
      for (const [before, other] of seen.slice(0, position).entries()) {
        const distance = Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
        expect(distance, `${CARDS[before]} and ${CARDS[position]}`).toBeGreaterThan(APART);
      }
    }
  },
);
