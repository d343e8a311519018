// The operations that the page itself sends; those of the charts stand with the charts.
import type { RowsQuery, SumsQuery } from "./operations.ts";

export const ROWS = /* GraphQL */ `query Rows($filter: TransactionFilter, $orderBy: TransactionOrder!, $first: Int!, $after: String) {
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

export const CHOICES = /* GraphQL */ `query Choices($filter: TransactionFilter) {
  cards: transactionSummary(filter: $filter, groupBy: [CARD_TYPE], orderBy: COUNT_DESC, top: 8) {
    groups { cardType count }
  }
  countries: transactionSummary(filter: $filter, groupBy: [COUNTRY], orderBy: COUNT_DESC, top: 300) {
    groups { country count }
  }
}`;

export type Transaction = RowsQuery["transactions"]["nodes"][number];

export type Sum = SumsQuery["transactionSummary"]["groups"][number]["amounts"][number];
