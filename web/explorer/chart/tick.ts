// Names of time steps, and the choice of ticks for the axis. Dates are wall-clock times of the answer's time zone.
import { getDateFormat } from "../format.ts";
import type { Unit } from "./need.ts";

export type Tick = { readonly index: number; readonly label: string };

type Level = { readonly begins: (date: Date) => boolean; readonly label: Intl.DateTimeFormatOptions };

const NAMES: Readonly<Record<Unit, Intl.DateTimeFormatOptions>> = {
  HOUR: { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" },
  DAY: { weekday: "short", day: "numeric", month: "short", year: "numeric" },
  WEEK: { day: "numeric", month: "short", year: "numeric" },
  MONTH: { month: "long", year: "numeric" },
};

const HOUR: Intl.DateTimeFormatOptions = { hour: "numeric" };
const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };
const MONTH: Intl.DateTimeFormatOptions = { month: "short" };
const YEAR: Intl.DateTimeFormatOptions = { year: "numeric" };

const isYear = (step: number) => (date: Date) => date.getUTCMonth() === 0 && date.getUTCFullYear() % step === 0;
const isMonth = (step: number) => (date: Date) => date.getUTCMonth() % step === 0;
const isHour = (step: number) => (date: Date) => date.getUTCHours() % step === 0;

// Coarsest first; the finest level with room for its labels is used.
const LEVELS: Readonly<Record<Unit, readonly Level[]>> = {
  HOUR: [
    { begins: isHour(24), label: DAY },
    { begins: isHour(12), label: HOUR },
    { begins: isHour(6), label: HOUR },
    { begins: isHour(3), label: HOUR },
  ],
  DAY: [
    { begins: (date) => date.getUTCDate() === 1, label: MONTH },
    { begins: (date) => [1, 15].includes(date.getUTCDate()), label: DAY },
    { begins: (date) => date.getUTCDay() === 1, label: DAY },
    { begins: (date) => date.getUTCDay() % 2 === 1, label: DAY },
    { begins: () => true, label: DAY },
  ],
  WEEK: [
    { begins: (date) => date.getUTCDate() <= 7 && isYear(1)(date), label: YEAR },
    { begins: (date) => date.getUTCDate() <= 7 && isMonth(6)(date), label: MONTH },
    { begins: (date) => date.getUTCDate() <= 7 && isMonth(3)(date), label: MONTH },
    { begins: (date) => date.getUTCDate() <= 7, label: MONTH },
    { begins: () => true, label: DAY },
  ],
  MONTH: [
    { begins: isYear(20), label: YEAR },
    { begins: isYear(10), label: YEAR },
    { begins: isYear(5), label: YEAR },
    { begins: isYear(2), label: YEAR },
    { begins: isYear(1), label: YEAR },
    { begins: isMonth(6), label: MONTH },
    { begins: isMonth(3), label: MONTH },
    { begins: () => true, label: MONTH },
  ],
};

/** Returns at most `most` ticks, at familiar starts: of a year, a month, a week, a day. */
export function buildTicks(starts: readonly string[], unit: Unit, most: number, locale?: string): Tick[] {
  const dates = starts.map(readClock);
  let chosen: Tick[] = [];
  for (const { begins, label } of LEVELS[unit]) {
    const places = dates.flatMap((date, index) => (begins(date) ? [{ date, index }] : []));
    if (places.length > most && chosen.length > 0) {
      break;
    }
    const every = Math.max(1, Math.ceil(places.length / Math.max(1, most)));
    chosen = places
      .filter((_, position) => position % every === 0)
      .map(({ date, index }) => ({ index, label: format(date, coarsen(date, label), locale) }));
  }
  return chosen;
}

/** Names a step: “Tue, 3 Nov 2026”, “Week of 2 Nov 2026”. */
export function nameStart(start: string, unit: Unit, locale?: string): string {
  const text = format(readClock(start), NAMES[unit], locale);
  return unit === "WEEK" ? `Week of ${text}` : text;
}

/** Reads the wall-clock time as if it were UTC, so that the browser's time zone does not shift it. */
function readClock(start: string): Date {
  return new Date(`${start.slice(0, 19)}Z`);
}

/** At the start of a coarser unit, uses that unit's label instead. */
function coarsen(date: Date, label: Intl.DateTimeFormatOptions): Intl.DateTimeFormatOptions {
  if (label === HOUR && date.getUTCHours() === 0) {
    return DAY;
  }
  return label === MONTH && date.getUTCMonth() === 0 ? YEAR : label;
}

function format(date: Date, options: Intl.DateTimeFormatOptions, locale: string | undefined): string {
  return getDateFormat({ ...options, timeZone: "UTC" }, locale).format(date);
}
