// Which of two rows stands first, as the gateway orders them: equal values by id, in the same direction.
import type { Transaction } from "./document.ts";
import { compareDecimals } from "./fault.ts";
import type { Order } from "./question.ts";

/** Gives the comparison of an order: negative where the first row stands before the other. */
export function buildComparison(order: Order): (one: Transaction, other: Transaction) => number {
  const direction = order.endsWith("_ASC") ? 1 : -1;
  return (one, other) => {
    const difference = order.startsWith("DATE")
      ? compareText(one.date, other.date)
      : compareDecimals(one.amount, other.amount);
    return direction * (difference || compareText(one.id, other.id));
  };
}

/** Dates of RFC 3339 in UTC are in the order of their texts; so are ids, in the database as here. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
