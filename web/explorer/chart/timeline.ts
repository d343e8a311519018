// Groups of a summary by time and card become series of equal length. Numbers only: no colours, no pixels.
import type { TimeGroup, Unit } from "./need.ts";

/** One card's transactions in each step; `card` is null for those without one, or of several cards taken together. */
export type CardSeries = {
  readonly card: string | null;
  readonly name: string;
  readonly total: number;
  readonly counts: readonly number[];
};

export type Timeline = {
  readonly unit: Unit;
  /** When each step begins, as the gateway writes it. */
  readonly starts: readonly string[];
  /** Most transactions first. */
  readonly cards: readonly CardSeries[];
  /** Of all cards, for each step. */
  readonly totals: readonly number[];
  readonly total: number;
};

export const NO_CARD = "No card type";
// More colours cannot be told apart.
const MOST_CARDS = 7;
const DAY_MS = 86_400_000;

/** Builds an answer's series. Months before the first transaction are left out: nobody needs decades of nothing. */
export function buildTimeline(groups: readonly TimeGroup[], unit: Unit): Timeline {
  const counts = new Map<string | null, Map<string, number>>();
  const starts = new Set<string>();
  for (const group of groups) {
    const start = findStart(group, unit);
    if (start !== null) {
      starts.add(start);
      // A blank text names none, and cannot be asked for.
      const card = group.cardType?.trim() ? group.cardType : null;
      const ofCard = counts.get(card) ?? new Map<string, number>();
      counts.set(card, ofCard.set(start, (ofCard.get(start) ?? 0) + group.count));
    }
  }
  const all = [...starts];
  const cards = [...counts]
    .map(([card, ofCard]) => buildSeries(card, all.map((start) => ofCard.get(start) ?? 0)))
    .filter((series) => series.total > 0)
    .sort((one, other) => other.total - one.total || one.name.localeCompare(other.name));
  const timeline = addUp(unit, all, cards);
  const first = unit === "MONTH" ? timeline.totals.findIndex((count) => count > 0) : 0;
  return first > 0 ? cutBefore(timeline, first) : timeline;
}

/** Gives the timeline of one card, in whatever case it is written; without one that of all. */
export function selectCard(timeline: Timeline, card: string | null): Timeline {
  if (card === null) {
    return timeline;
  }
  const cards = timeline.cards.filter((series) => isSameCard(series.card, card));
  return addUp(timeline.unit, timeline.starts, cards);
}

/** Takes the cards together that are beyond those which colours can tell apart. */
export function foldCards(timeline: Timeline): Timeline {
  if (timeline.cards.length <= MOST_CARDS) {
    return timeline;
  }
  const kept = timeline.cards.slice(0, MOST_CARDS - 1);
  const rest = timeline.cards.slice(MOST_CARDS - 1);
  const counts = timeline.starts.map((_, step) => sum(rest.map((series) => series.counts[step] ?? 0)));
  const folded = { ...buildSeries(null, counts), name: `${rest.length} other cards` };
  return { ...timeline, cards: [...kept, folded] };
}

/** Gives, from the bottom, what is drawn to in each step: each card's transactions on those of the cards before it. */
export function stack(timeline: Timeline): number[][] {
  let below = timeline.starts.map(() => 0);
  return timeline.cards.map((series) => {
    below = below.map((count, step) => count + (series.counts[step] ?? 0));
    return below;
  });
}

/** How many days, counted back from now, a window needs to hold all from a step's start on. */
export function countDaysSince(start: string, now: number): number {
  return Math.max(1, Math.ceil((now - Date.parse(start)) / DAY_MS));
}

export function isSameCard(one: string | null, other: string | null): boolean {
  return one?.toLowerCase() === other?.toLowerCase();
}

function findStart(group: TimeGroup, unit: Unit): string | null {
  const { hour, day, week, month } = group;
  return { HOUR: hour, DAY: day, WEEK: week, MONTH: month }[unit] ?? null;
}

function buildSeries(card: string | null, counts: readonly number[]): CardSeries {
  return { card, name: card ?? NO_CARD, total: sum(counts), counts };
}

function addUp(unit: Unit, starts: readonly string[], cards: readonly CardSeries[]): Timeline {
  const totals = starts.map((_, step) => sum(cards.map((series) => series.counts[step] ?? 0)));
  return { unit, starts, cards, totals, total: sum(totals) };
}

function cutBefore(timeline: Timeline, first: number): Timeline {
  const cards = timeline.cards.map((series) => ({ ...series, counts: series.counts.slice(first) }));
  return { ...timeline, starts: timeline.starts.slice(first), totals: timeline.totals.slice(first), cards };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
