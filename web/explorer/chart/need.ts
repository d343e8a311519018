// The summaries that the charts need from the gateway, one per need, whichever charts show it. It sends nothing.
import type { ByAmountQuery, ByCountryQuery, ByTimeQuery, ByVendorQuery } from "../operations.ts";
import { buildFilter, type Question, type TransactionFilter } from "../question.ts";

/** Steps of time, finest first. */
export type Unit = "HOUR" | "DAY" | "WEEK" | "MONTH";

export type SummaryQuery = ByTimeQuery | ByCountryQuery | ByAmountQuery | ByVendorQuery;

export type TimeGroup = ByTimeQuery["transactionSummary"]["groups"][number];
export type AmountGroup = ByAmountQuery["transactionSummary"]["groups"][number];

/** An operation that returns one summary; equal documents and variables are the same need. */
export type Need<Query extends SummaryQuery = SummaryQuery> = {
  readonly document: string;
  readonly variables: {
    readonly filter: TransactionFilter;
    readonly unit?: Unit;
    readonly timeZone?: string;
    readonly top?: number;
  };
  /** Never set: it gives the compiler the operation's result type. */
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
// Keeps most charts below 160 steps, and a summary of eight brands within its 10,000 groups.
const UNTIL_DAYS: readonly (readonly [Unit, number])[] = [
  ["HOUR", 3],
  ["DAY", 120],
  ["WEEK", 1_100],
];

// A chart that picks a condition leaves it out of its query, so that the alternatives stay visible.

/** The number of transactions of each card in each step of time; the query's card is not applied. */
export function needByTime(question: Question, timeZone: string): Need<ByTimeQuery> {
  const filter = buildFilter({ ...question, cardType: null });
  return { document: BY_TIME, variables: { filter, unit: chooseUnit(question.days), timeZone } };
}

/** The number of transactions of each country, most first; the query's country is not applied. */
export function needByCountry(question: Question): Need<ByCountryQuery> {
  return { document: BY_COUNTRY, variables: { filter: buildFilter({ ...question, country: null }) } };
}

/** The number of transactions in each range of amounts; the query's amounts are not applied. */
export function needByAmount(question: Question): Need<ByAmountQuery> {
  const filter = buildFilter({ ...question, minAmount: null, maxAmount: null });
  return { document: BY_AMOUNT, variables: { filter } };
}

/** The vendors with the most transactions. */
export function needByVendor(question: Question): Need<ByVendorQuery> {
  return { document: BY_VENDOR, variables: { filter: buildFilter(question), top: TOP_VENDORS } };
}

/** Chooses the step of time for a window of `days`; null means all time. */
export function chooseUnit(days: number | null): Unit {
  return UNTIL_DAYS.find(([, most]) => days !== null && days <= most)?.[0] ?? "MONTH";
}
