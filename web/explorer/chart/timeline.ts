// Turns a summary's groups by time and card into series of equal length. Numbers only: no colours, no pixels.
import type { TimeGroup, Unit } from "./need.ts";

/** One card's transactions in each step; `card` is null for transactions without a card, or for several cards. */
export type CardSeries = {
  readonly card: string | null;
  readonly name: string;
  readonly total: number;
  readonly counts: readonly number[];
};

export type Timeline = {
  readonly unit: Unit;
  /** The start of each step, as the gateway formats it. */
  readonly starts: readonly string[];
  /** Most transactions first. */
  readonly cards: readonly CardSeries[];
  /** The number of transactions of all cards in each step. */
  readonly totals: readonly number[];
  readonly total: number;
};

export const NO_CARD = "No card type";
// More colours would not be distinguishable.
const MOST_CARDS = 7;
const DAY_MS = 86_400_000;

/** Builds an answer's series. Months before the first transaction are left out: they could be decades. */
export function buildTimeline(groups: readonly TimeGroup[], unit: Unit): Timeline {
  const counts = new Map<string | null, Map<string, number>>();
  const starts = new Set<string>();
  for (const group of groups) {
    const start = findStart(group, unit);
    if (start !== null) {
      starts.add(start);
      // A blank card type names no card and is not a valid filter.
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

/** Returns the timeline of one card, regardless of case, or of all cards if `card` is null. */
export function selectCard(timeline: Timeline, card: string | null): Timeline {
  if (card === null) {
    return timeline;
  }
  const cards = timeline.cards.filter((series) => isSameCard(series.card, card));
  return addUp(timeline.unit, timeline.starts, cards);
}

/** Merges the cards beyond the number of distinguishable colours. */
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

/** Returns the upper edges in each step, bottom first: each card's transactions on top of the previous cards'. */
export function stack(timeline: Timeline): number[][] {
  let below = timeline.starts.map(() => 0);
  return timeline.cards.map((series) => {
    below = below.map((count, step) => count + (series.counts[step] ?? 0));
    return below;
  });
}

/** Returns how many days a window that ends now needs to include everything since a step's start. */
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
