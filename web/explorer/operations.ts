// What the explorer's operations take and give, by schema/schema.graphql.
// Written by `python -m tests.web_types --write`: change the operations or the schema, not this file.

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** What transactions are grouped by. Texts that differ only in case are one group. */
export type SummaryKey =
  /** The card's brand. */
  | 'CARD_TYPE'
  /** The country of origin. */
  | 'COUNTRY'
  /** The currency that the amount was paid in. */
  | 'CURRENCY'
  /** Who was paid. */
  | 'VENDOR'
  /** The range of the amount, converted if `into` is given; ranges begin at 0, 1, 2, 5, 10, 20, 50 and so on to 1,000,000. */
  | 'AMOUNT_RANGE'
  /** Each hour of each day, on the clocks of the time zone. */
  | 'HOUR'
  /** Each day of the time zone. */
  | 'DAY'
  /** Each week of the time zone, from Monday (ISO 8601). */
  | 'WEEK'
  /** Each month of the time zone. */
  | 'MONTH';

/** Which transactions: those that meet all the conditions that are given. */
export type TransactionFilter = {
  /** The last n days of 24 hours, up to the moment the request arrives, both ends inclusive: 0 to 36500. */
  days?: number | null | undefined;
  /** The card's brand, in upper or lower case. */
  cardType?: string | null | undefined;
  /** The country of origin, ISO 3166-1 alpha-2 or alpha-3, in upper or lower case. */
  country?: string | null | undefined;
  /** The smallest amount, inclusive. */
  minAmount?: string | null | undefined;
  /** The largest amount, inclusive. */
  maxAmount?: string | null | undefined;
};

/** The order of a list. Equal values are ordered by id, in the same direction. */
export type TransactionOrder =
  /** Newest first. */
  | 'DATE_DESC'
  /** Oldest first. */
  | 'DATE_ASC'
  /** Largest amount first, any currency. */
  | 'AMOUNT_DESC'
  /** Smallest amount first, any currency. */
  | 'AMOUNT_ASC';

export type ByTimeQueryVariables = Exact<{
  filter?: TransactionFilter | null | undefined;
  unit: SummaryKey;
  timeZone?: string | null | undefined;
}>;


export type ByTimeQuery = { transactionSummary: { omitted: number, groups: Array<{ count: number, cardType: string | null, hour: string | null, day: string | null, week: string | null, month: string | null }> } };

export type ByCountryQueryVariables = Exact<{
  filter?: TransactionFilter | null | undefined;
}>;


export type ByCountryQuery = { transactionSummary: { omitted: number, groups: Array<{ count: number, country: string | null }> } };

export type ByAmountQueryVariables = Exact<{
  filter?: TransactionFilter | null | undefined;
}>;


export type ByAmountQuery = { transactionSummary: { omitted: number, groups: Array<{ count: number, amountRange: string | null }> } };

export type ByVendorQueryVariables = Exact<{
  filter?: TransactionFilter | null | undefined;
  top: number;
}>;


export type ByVendorQuery = { transactionSummary: { omitted: number, groups: Array<{ count: number, vendor: string | null }> } };

export type RowsQueryVariables = Exact<{
  filter?: TransactionFilter | null | undefined;
  orderBy: TransactionOrder;
  first: number;
  after?: string | null | undefined;
}>;


export type RowsQuery = { transactions: { nodes: Array<{ id: string, date: string, currency: string, amount: string, vendor: string | null, address: string | null, cardType: string, cardNumber: string, countryOrigin: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type TotalQueryVariables = Exact<{
  filter?: TransactionFilter | null | undefined;
}>;


export type TotalQuery = { transactions: { totalCount: number } };

export type SumsQueryVariables = Exact<{
  filter?: TransactionFilter | null | undefined;
}>;


export type SumsQuery = { transactionSummary: { omitted: number, groups: Array<{ amounts: Array<{ currency: string, count: number, sum: string }> }> } };

export type TransactionAddedSubscriptionVariables = Exact<{
  filter?: TransactionFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type TransactionAddedSubscription = { transactionAdded: { id: string, date: string, currency: string, amount: string, vendor: string | null, address: string | null, cardType: string, cardNumber: string, countryOrigin: string } };
