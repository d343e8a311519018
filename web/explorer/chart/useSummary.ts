// A chart's access to the store: follows the answer to one need, and reloads it when the query is reloaded.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { ask } from "../api.ts";
import { isSameQuestion, type Question } from "../question.ts";
import type { Need, Summary, SummaryQuery } from "./need.ts";
import { AnswerStore, type Answer } from "./store.ts";

export type SummaryView<Query extends SummaryQuery = SummaryQuery> = Omit<Answer, "summary"> & {
  readonly summary: Summary<Query> | null;
  /** The need that `summary` answers; null if there is no summary. */
  readonly answered: Need | null;
  readonly cancel: () => void;
  readonly retry: () => void;
};

const store = new AnswerStore(async (need, signal) => {
  type Result = { readonly transactionSummary: Summary };
  // The table and the total, which the page requests at the same moment, are cheap: they go first.
  await Promise.resolve();
  const { transactionSummary } = await ask<Result, Need["variables"]>(need.document, need.variables, signal);
  return transactionSummary;
});

/** Reloads all charts in the background: what they show stays until the answers arrive. */
export function refreshCharts(): void {
  store.refresh();
}

/** Follows the answer to a need. While it is loading, the summary of the previous need stays. */
export function useSummary<Query extends SummaryQuery>(need: Need<Query>, question: Question): SummaryView<Query> {
  const [, redraw] = useState(0);
  const last = useRef<{ need: Need; summary: Summary<Query> } | null>(null);
  const asked = useRef(question);
  const key = JSON.stringify(need);

  // The need is a new object on each call, so its text identifies it.
  useEffect(() => {
    const draw = (): void => redraw((count) => count + 1);
    const unsubscribe = store.subscribe(need, draw);
    draw(); // another chart's request may have been answered already
    return unsubscribe;
  }, [key]);
  useEffect(() => {
    if (asked.current !== question && isSameQuestion(asked.current, question)) {
      store.again(need);
    }
    asked.current = question;
  }, [question]);

  const answer = store.get(need);
  if (answer.summary !== null) {
    // The store keeps the summary by its need, whose operation determines its type.
    last.current = { need, summary: answer.summary as Summary<Query> };
  }
  return {
    ...answer,
    summary: last.current?.summary ?? null,
    answered: last.current?.need ?? null,
    cancel: useCallback(() => store.cancel(need), [key]),
    retry: useCallback(() => store.again(need), [key]),
  };
}
