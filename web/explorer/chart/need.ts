// What the charts ask of the gateway: one summary for each need, whichever charts show it. It sends nothing.
import type { ByAmountQuery, ByCountryQuery, ByTimeQuery, ByVendorQuery } from "../operations.ts";
import { buildFilter, type Question, type TransactionFilter } from "../question.ts";

/** Steps of time, from the finest. */
export type Unit = "HOUR" | "DAY" | "WEEK" | "MONTH";

export type SummaryQuery = ByTimeQuery | ByCountryQuery | ByAmountQuery | ByVendorQuery;

export type TimeGroup = ByTimeQuery["transactionSummary"]["groups"][number];
export type AmountGroup = ByAmountQuery["transactionSummary"]["groups"][number];

/** An operation that gives one summary; two of the same text and variables are the same need. */
export type Need<Query extends SummaryQuery = SummaryQuery> = {
  readonly document: string;
  readonly variables: {
    readonly filter: TransactionFilter;
    readonly unit?: Unit;
    readonly timeZone?: string;
    readonly top?: number;
  };
  /** Never there: it tells the compiler what the operation gives. */
  readonly gives?: Query;
};

export type Summary<Query extends SummaryQuery = SummaryQuery> = Query["transactionSummary"];

const BY_TIME = /* GraphQL */ `
  query ByTime($filter: TransactionFilter, $unit: SummaryKey!, $timeZone: String) {
    transactionSummary(filter: $filter, groupBy: [$unit, CARD_TYPE], timeZone: $timeZone) {
      omitted
      groups {
        count
        cardType
        hour
        day
        week
        month
      }
    }
  }
`;

const BY_COUNTRY = /* GraphQL */ `
  query ByCountry($filter: TransactionFilter) {
    transactionSummary(filter: $filter, groupBy: [COUNTRY], orderBy: COUNT_DESC) {
      omitted
      groups {
        count
        country
      }
    }
  }
`;

const BY_AMOUNT = /* GraphQL */ `
  query ByAmount($filter: TransactionFilter) {
    transactionSummary(filter: $filter, groupBy: [AMOUNT_RANGE]) {
      omitted
      groups {
        count
        amountRange
      }
    }
  }
`;

const BY_VENDOR = /* GraphQL */ `
  query ByVendor($filter: TransactionFilter, $top: Int!) {
    transactionSummary(filter: $filter, groupBy: [VENDOR], orderBy: COUNT_DESC, top: $top) {
      omitted
      groups {
        count
        vendor
      }
    }
  }
`;

const TOP_VENDORS = 10;
// So that a chart has some hundred steps at most, and a summary of eight brands stays within its 10,000 groups.
const UNTIL_DAYS: readonly (readonly [Unit, number])[] = [
  ["HOUR", 3],
  ["DAY", 120],
  ["WEEK", 1_100],
];

// A chart by which a condition is picked asks without it, so that what else could be picked stays in sight.

/** How many of each card in each step of time; the card of the question is not applied. */
export function needByTime(question: Question, timeZone: string): Need<ByTimeQuery> {
  const filter = buildFilter({ ...question, cardType: null });
  return { document: BY_TIME, variables: { filter, unit: chooseUnit(question.days), timeZone } };
}

/** How many from each country, most first; the country of the question is not applied. */
export function needByCountry(question: Question): Need<ByCountryQuery> {
  return { document: BY_COUNTRY, variables: { filter: buildFilter({ ...question, country: null }) } };
}

/** How many in each range of amounts; the amounts of the question are not applied. */
export function needByAmount(question: Question): Need<ByAmountQuery> {
  const filter = buildFilter({ ...question, minAmount: null, maxAmount: null });
  return { document: BY_AMOUNT, variables: { filter } };
}

/** The vendors with the most transactions. */
export function needByVendor(question: Question): Need<ByVendorQuery> {
  return { document: BY_VENDOR, variables: { filter: buildFilter(question), top: TOP_VENDORS } };
}

/** Chooses the step of time for a window of so many days, or of all. */
export function chooseUnit(days: number | null): Unit {
  return UNTIL_DAYS.find(([, most]) => days !== null && days <= most)?.[0] ?? "MONTH";
}
