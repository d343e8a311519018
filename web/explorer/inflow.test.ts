import { expect, test } from "vitest";

import type { Transaction } from "./document.ts";
import { Inflow } from "./inflow.ts";

function build(id: number): Transaction {
  return {
    id: String(id),
    date: "2026-11-24T00:00:00.000Z",
    currency: "EUR",
    amount: "1",
    vendor: null,
    address: null,
    cardType: "Visa",
    cardNumber: "************1111",
    countryOrigin: "DE",
  };
}

function fill(count: number): Inflow {
  const inflow = new Inflow();
  for (let id = 0; id < count; id++) {
    inflow.add(build(id));
  }
  return inflow;
}

test("what has come is handed over once, the newest first", () => {
  const inflow = fill(3);
  expect(inflow.take().rows.map(({ id }) => id)).toEqual(["2", "1", "0"]);
  expect(inflow.take()).toEqual({ rows: [], skipped: 0 });
});

test.each([200, 201, 400, 10_001])("of %i at most 200 are kept, the newest, and the others are counted", (count) => {
  const { rows, skipped } = fill(count).take();
  expect(rows).toHaveLength(200);
  expect(rows[0]?.id).toBe(String(count - 1));
  expect(skipped).toBe(count - 200);
});
