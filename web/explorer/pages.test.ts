import { expect, test, vi } from "vitest";

import type { Transaction } from "./document.ts";
import { buildComparison } from "./order.ts";
import { RowPages, type LoadPage } from "./pages.ts";

function buildRow(number: number): Transaction {
  const date = new Date(Date.UTC(2026, 0, 1) - number * 1000).toISOString();
  const text = { vendor: null, address: null, cardType: "Visa", cardNumber: "************1111", countryOrigin: "US" };
  return { id: `id-${number}`, date, currency: "USD", amount: `${number}.00`, ...text };
}

/** Answers like a gateway with `count` rows; its cursors are row numbers. */
function openSource(count: number) {
  const asked: number[] = [];
  const load: LoadPage = async (first, after) => {
    asked.push(first);
    const start = Number(after ?? 0);
    const end = Math.min(count, start + first);
    const rows = Array.from({ length: end - start }, (_, index) => buildRow(start + index));
    return { rows, hasMore: end < count, after: String(end) };
  };
  return { asked, load };
}

test("what is wanted comes in order, page after page, and not more than a little ahead", async () => {
  const { asked, load } = openSource(100_000);
  const pages = new RowPages(load, () => {});
  pages.want(30);
  await vi.waitFor(() => expect(pages.rows.length).toBeGreaterThanOrEqual(230));
  expect(pages.rows.length).toBeLessThan(1_000);
  pages.want(55_000);
  await vi.waitFor(() => expect(pages.rows.length).toBeGreaterThanOrEqual(55_200));
  expect(pages.rows.map(({ id }) => id)).toEqual(pages.rows.map((_, index) => `id-${index}`));
  expect(Math.max(...asked)).toBe(10_000);
});

test("the last page ends the asking", async () => {
  const { asked, load } = openSource(150);
  const pages = new RowPages(load, () => {});
  pages.want(1_000);
  await vi.waitFor(() => expect(pages.hasMore).toBe(false));
  pages.want(2_000);
  expect(asked).toHaveLength(1);
});

test("a page that fails is told, keeps the rows, and is asked for again only by a retry", async () => {
  const { load } = openSource(1_000);
  let fails = false;
  const pages = new RowPages(
    async (...given) => {
      if (fails) {
        throw new Error("away");
      }
      return load(...given);
    },
    () => {},
  );
  pages.want(0);
  await vi.waitFor(() => expect(pages.rows).toHaveLength(200));
  fails = true;
  pages.want(500);
  await vi.waitFor(() => expect(pages.error).toEqual(new Error("away")));
  pages.want(500);
  expect(pages.rows).toHaveLength(200);
  fails = false;
  pages.retry();
  await vi.waitFor(() => expect(pages.rows).toHaveLength(700));
  expect(pages.error).toBeNull();
});

test("closed pages ask no more, and tell of no failure", async () => {
  const onChange = vi.fn();
  const pages = new RowPages((_first, _after, signal) => {
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  }, onChange);
  pages.want(0);
  pages.close();
  await Promise.resolve();
  expect(pages.error).toBeNull();
  expect(onChange).not.toHaveBeenCalled();
});

test("rows that come by another way stand in their places once, and those of later pages are left to them", async () => {
  const pages = new RowPages(openSource(1_000).load, () => {});
  pages.want(0);
  await vi.waitFor(() => expect(pages.rows).toHaveLength(200));
  pages.add([buildRow(-1), buildRow(3), buildRow(-2), buildRow(999)], buildComparison("DATE_DESC"));
  expect(pages.rows.slice(0, 4).map(({ id }) => id)).toEqual(["id--2", "id--1", "id-0", "id-1"]);
  expect(pages.rows).toHaveLength(202);
});

test("rows are compared as the gateway orders them: amounts as decimals, equal ones by id", () => {
  const compare = buildComparison("AMOUNT_ASC");
  expect(compare({ ...buildRow(1), amount: "9.5" }, { ...buildRow(2), amount: "10.25" })).toBeLessThan(0);
  expect(compare({ ...buildRow(1), amount: "10.0" }, { ...buildRow(2), amount: "10" })).toBeLessThan(0);
  expect(buildComparison("AMOUNT_DESC")(buildRow(1), buildRow(2))).toBeGreaterThan(0);
});
