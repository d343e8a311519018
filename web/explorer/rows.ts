// The rows of the question on screen. Those of the last question stay until the first page of the next has come.
import { useCallback, useEffect, useReducer, useState } from "preact/hooks";

import type { Transaction } from "./document.ts";
import { buildLoadPage } from "./load.ts";
import { RowPages } from "./pages.ts";
import type { Question } from "./question.ts";

export type Rows = {
  readonly rows: readonly Transaction[];
  readonly hasMore: boolean;
  /** The question that the rows answer, null before the first page. */
  readonly question: Question | null;
  /** Why the question's first page, or its next, has not come. */
  readonly error: unknown;
  readonly want: (end: number) => void;
  readonly retry: () => void;
};

type Asked = { readonly question: Question; readonly pages: RowPages };

export function useRows(question: Question): Rows {
  const [shown, setShown] = useState<Asked | null>(null);
  const [latest, setLatest] = useState<Asked | null>(null);
  const [, redraw] = useReducer((count: number, _: null) => count + 1, 0);

  useEffect(() => {
    const pages = new RowPages(buildLoadPage(question), () => {
      if (pages.error === null) {
        setShown(asked);
      }
      redraw(null);
    });
    const asked = { question, pages };
    setLatest(asked);
    pages.want(0);
    return () => pages.close();
  }, [question]);

  const want = useCallback((end: number) => latest?.pages.want(end), [latest]);
  const retry = useCallback(() => latest?.pages.retry(), [latest]);
  return {
    rows: shown?.pages.rows ?? [],
    hasMore: shown?.pages.hasMore ?? true,
    question: shown?.question ?? null,
    error: latest?.question === question ? latest.pages.error : null,
    want,
    retry,
  };
}
