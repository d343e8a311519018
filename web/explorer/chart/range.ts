// Ranges of amounts, 1-2-5 up to a million: their bounds, their names, and which ones the query includes.
import { compareDecimals } from "../fault.ts";
import { getNumberFormat } from "../format.ts";
import type { Question } from "../question.ts";
import type { AmountGroup } from "./need.ts";

export type AmountRange = {
  /** Inclusive; null if there is none. */
  readonly minAmount: string | null;
  /** Inclusive: the last amount before the next range; null if there is none. */
  readonly maxAmount: string | null;
  readonly count: number;
};

type Bounds = Pick<Question, "minAmount" | "maxAmount">;

const LARGEST = 1_000_000;
const POWERS = [0, 1, 2, 3, 4, 5];
const LOWER_BOUNDS = [0, ...POWERS.flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power)), LARGEST];
// No currency has a smaller unit (ISO 4217).
const PLACES = 4;
const UNIT = 10 ** -PLACES;
const BELOW_ZERO = (-UNIT).toFixed(PLACES);

/** Returns the ranges from the first to the last with a transaction, including empty ones in between. */
export function buildRanges(groups: readonly AmountGroup[]): AmountRange[] {
  const counts = new Map(groups.map(({ amountRange, count }) => [readBound(amountRange), count]));
  const ranges = [null, ...LOWER_BOUNDS].map((lower, index) => ({
    minAmount: lower === null ? null : String(lower),
    maxAmount: lower === null ? BELOW_ZERO : findEnd(index),
    count: counts.get(lower) ?? 0,
  }));
  const isFilled = (range: AmountRange): boolean => range.count > 0;
  return ranges.slice(Math.max(0, ranges.findIndex(isFilled)), ranges.findLastIndex(isFilled) + 1);
}

/** Whether the query's amounts include this range, possibly with others. */
export function isPicked(range: AmountRange, { minAmount, maxAmount }: Bounds): boolean {
  if (minAmount === null && maxAmount === null) {
    return false;
  }
  const isAbove = range.minAmount !== null && maxAmount !== null && compareDecimals(range.minAmount, maxAmount) > 0;
  const isBelow = range.maxAmount !== null && minAmount !== null && compareDecimals(range.maxAmount, minAmount) < 0;
  return !isAbove && !isBelow;
}

/**
 * Returns the bounds after a range is picked: none if only this range was picked before; with `isExtending`, everything
 * from what was picked to this range.
 */
export function pickRange(range: AmountRange, { minAmount, maxAmount }: Bounds, isExtending: boolean): Bounds {
  if (isSame(range.minAmount, minAmount) && isSame(range.maxAmount, maxAmount)) {
    return { minAmount: null, maxAmount: null };
  }
  if (!isExtending || (minAmount === null && maxAmount === null)) {
    return { minAmount: range.minAmount, maxAmount: range.maxAmount };
  }
  return {
    minAmount: minAmount === null || range.minAmount === null ? null : smaller(minAmount, range.minAmount),
    maxAmount: maxAmount === null || range.maxAmount === null ? null : larger(maxAmount, range.maxAmount),
  };
}

/** Names a range: “20 to 49.99”, “below 0”, “1,000,000 or more”. */
export function nameRange({ minAmount, maxAmount }: Bounds, locale?: string): string {
  const format = getNumberFormat({ maximumFractionDigits: 2, roundingMode: "trunc" }, locale);
  const write = (amount: string): string => format.format(Number(amount));
  if (minAmount === null) {
    return maxAmount === BELOW_ZERO ? "below 0" : `up to ${write(maxAmount ?? "0")}`;
  }
  return maxAmount === null ? `${write(minAmount)} or more` : `${write(minAmount)} to ${write(maxAmount)}`;
}

/** Names the start of a range, as short as an axis needs: “5K”. */
export function nameBound({ minAmount }: Bounds, locale?: string): string {
  const format = getNumberFormat({ notation: "compact" }, locale);
  return minAmount === null ? "< 0" : format.format(Number(minAmount));
}

function readBound(text: string | null): number | null {
  return text === null ? null : Number(text);
}

/** The list of ranges starts with the one below 0, so the next range's lower bound has the same index. */
function findEnd(index: number): string | null {
  const next = LOWER_BOUNDS[index];
  return next === undefined ? null : (next - UNIT).toFixed(PLACES);
}

function isSame(one: string | null, other: string | null): boolean {
  return one === null || other === null ? one === other : compareDecimals(one, other) === 0;
}

function smaller(one: string, other: string): string {
  return compareDecimals(one, other) <= 0 ? one : other;
}

function larger(one: string, other: string): string {
  return compareDecimals(one, other) >= 0 ? one : other;
}
