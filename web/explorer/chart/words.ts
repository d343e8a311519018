// Describes a timeline in words, for screen readers. Pure.
import { formatCount } from "../format.ts";
import type { Unit } from "./need.ts";
import { nameStart } from "./tick.ts";
import type { Timeline } from "./timeline.ts";

export const TITLES: Readonly<Record<Unit, string>> = {
  HOUR: "By hour",
  DAY: "By day",
  WEEK: "By week",
  MONTH: "By month",
};
export const STEPS: Readonly<Record<Unit, string>> = { HOUR: "Hour", DAY: "Day", WEEK: "Week", MONTH: "Month" };
const NUMBERS: Readonly<Record<Unit, string>> = { HOUR: "hours", DAY: "days", WEEK: "weeks", MONTH: "months" };

/** Summarises the plot: the number of transactions, the peak, and the share of each card. */
export function describeTimeline({ unit, starts, cards, totals, total }: Timeline, locale?: string): string {
  const most = totals.indexOf(Math.max(...totals));
  const shares = cards.map((series) => `${series.name} ${formatCount(series.total, locale)}`).join(", ");
  const peak = `${nameStart(starts[most] ?? "", unit, locale)}, ${formatCount(totals[most] ?? 0, locale)}`;
  const all = `${formatCount(total, locale)} transactions in ${starts.length} ${NUMBERS[unit]}`;
  return `${all}, most of them ${peak}. ${shares}.`;
}

export function describeStep({ unit, starts, cards, totals }: Timeline, step: number, locale?: string): string {
  const parts = cards.map(({ name, counts }) => `${name} ${formatCount(counts[step] ?? 0, locale)}`);
  const start = nameStart(starts[step] ?? "", unit, locale);
  return `${start}: ${formatCount(totals[step] ?? 0, locale)} transactions; ${parts.join(", ")}`;
}
