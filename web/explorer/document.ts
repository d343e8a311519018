// The operations that the page itself sends; the charts' operations are in chart/need.ts.
import type { RowsQuery, SumsQuery } from "./operations.ts";

export const ROWS = /* GraphQL */ `query Rows(
  $filter: TransactionFilter
  $orderBy: TransactionOrder!
  $first: Int!
  $after: String
) {
  transactions(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { id date currency amount vendor address cardType cardNumber countryOrigin }
    pageInfo { hasNextPage endCursor }
  }
}`;

export const TOTAL = /* GraphQL */ `query Total($filter: TransactionFilter) {
  transactions(filter: $filter) { totalCount }
}`;

export const SUMS = /* GraphQL */ `query Sums($filter: TransactionFilter) {
  transactionSummary(filter: $filter) {
    omitted
    groups { amounts { currency count sum } }
  }
}`;

export type Transaction = RowsQuery["transactions"]["nodes"][number];

export type Sum = SumsQuery["transactionSummary"]["groups"][number]["amounts"][number];
