// Compares two rows in the gateway's order: equal values by id, in the same direction.
import type { Transaction } from "./document.ts";
import { compareDecimals } from "./fault.ts";
import type { Order } from "./question.ts";

/** Returns the comparison function of an order: negative if the first row comes before the other. */
export function buildComparison(order: Order): (one: Transaction, other: Transaction) => number {
  const direction = order.endsWith("_ASC") ? 1 : -1;
  return (one, other) => {
    const difference = order.startsWith("DATE")
      ? compareText(one.date, other.date)
      : compareDecimals(one.amount, other.amount);
    return direction * (difference || compareText(one.id, other.id));
  };
}

/** RFC 3339 dates in UTC sort like their text; so do ids, both here and in the database. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
