// Loads what the page's own panels show for a query. It keeps nothing.
import { ask } from "./api.ts";
import { ROWS, SUMS, TOTAL, type Sum } from "./document.ts";
import type { RowsQuery, RowsQueryVariables } from "./operations.ts";
import type { SumsQuery, SumsQueryVariables, TotalQuery, TotalQueryVariables } from "./operations.ts";
import type { LoadPage } from "./pages.ts";
import { buildFilter, type Question } from "./question.ts";

export async function loadTotal(question: Question, signal: AbortSignal): Promise<number> {
  const variables = { filter: buildFilter(question) };
  const { transactions } = await ask<TotalQuery, TotalQueryVariables>(TOTAL, variables, signal);
  return transactions.totalCount;
}

/** Returns the sum in each currency, the one with most transactions first. */
export async function loadSums(question: Question, signal: AbortSignal): Promise<readonly Sum[]> {
  const variables = { filter: buildFilter(question) };
  const { transactionSummary } = await ask<SumsQuery, SumsQueryVariables>(SUMS, variables, signal);
  return transactionSummary.groups
    .flatMap((group) => group.amounts)
    .sort((one, other) => other.count - one.count || one.currency.localeCompare(other.currency));
}

export function buildLoadPage(question: Question): LoadPage {
  return async (first, after, signal) => {
    const variables = { filter: buildFilter(question), orderBy: question.order, first, after };
    const { transactions } = await ask<RowsQuery, RowsQueryVariables>(ROWS, variables, signal);
    const { hasNextPage, endCursor } = transactions.pageInfo;
    return { rows: transactions.nodes, hasMore: hasNextPage, after: endCursor };
  };
}
