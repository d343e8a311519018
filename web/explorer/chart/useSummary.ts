// A chart's share of the store: it follows the answer to one need, and asks again when the question is asked again.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { ask } from "../api.ts";
import { isSameQuestion, type Question } from "../question.ts";
import type { Need, Summary, SummaryQuery } from "./need.ts";
import { AnswerStore, type Answer } from "./store.ts";

export type SummaryView<Query extends SummaryQuery = SummaryQuery> = Omit<Answer, "summary"> & {
  readonly summary: Summary<Query> | null;
  /** The need that `summary` answers; null where there is none. */
  readonly answered: Need | null;
  readonly cancel: () => void;
  readonly retry: () => void;
};

const store = new AnswerStore(async (need, signal) => {
  type Result = { readonly transactionSummary: Summary };
  // The table and the total, which the page asks for in the same moment, cost little: they go first.
  await Promise.resolve();
  const { transactionSummary } = await ask<Result, Need["variables"]>(need.document, need.variables, signal);
  return transactionSummary;
});

/** Asks for all charts anew, in silence: what they show stays until the answers come. */
export function refreshCharts(): void {
  store.refresh();
}

/** Follows the answer to a need. While it is asked for, the summary of the need before it stays. */
export function useSummary<Query extends SummaryQuery>(need: Need<Query>, question: Question): SummaryView<Query> {
  const [, redraw] = useState(0);
  const last = useRef<{ need: Need; summary: Summary<Query> } | null>(null);
  const asked = useRef(question);
  const key = JSON.stringify(need);

  // The need is new at each call, but the same as long as its text is.
  useEffect(() => {
    const draw = (): void => redraw((count) => count + 1);
    const unsubscribe = store.subscribe(need, draw);
    draw(); // what another chart has asked for may be there
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
    // The store keeps it under this need, whose operation gives no other.
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
