// The rows of the query on screen. The previous query's rows stay until the first page of the next has arrived.
import { useCallback, useEffect, useReducer, useState } from "preact/hooks";

import type { Transaction } from "./document.ts";
import { buildLoadPage } from "./load.ts";
import { buildComparison } from "./order.ts";
import { RowPages } from "./pages.ts";
import type { Question } from "./question.ts";

export type Rows = {
  readonly rows: readonly Transaction[];
  readonly hasMore: boolean;
  /** The query that the rows belong to; null before the first page. */
  readonly question: Question | null;
  /** Why the query's first or next page failed to load. */
  readonly error: unknown;
  readonly want: (end: number) => void;
  readonly retry: () => void;
  /** Adds new rows to the visible ones. */
  readonly add: (rows: readonly Transaction[]) => void;
  readonly isFresh: (id: string) => boolean;
};

/** How long theme.css highlights a new row. */
const FRESH_MS = 2_000;
/** At least as many rows as a table shows at first (layout.css), so that its own request needs no second page. */
const FIRST_LOOK = 40;

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
    pages.want(FIRST_LOOK);
    return () => pages.close();
  }, [question]);

  const want = useCallback((end: number) => latest?.pages.want(end), [latest]);
  const retry = useCallback(() => latest?.pages.retry(), [latest]);
  const [fresh] = useState(() => new Set<string>());
  const add = useCallback(
    (rows: readonly Transaction[]) => {
      for (const { id } of rows) {
        fresh.add(id);
        setTimeout(() => fresh.delete(id), FRESH_MS);
      }
      latest?.pages.add(rows, buildComparison(latest.question.order));
    },
    [fresh, latest],
  );
  return {
    rows: shown?.pages.rows ?? [],
    hasMore: shown?.pages.hasMore ?? true,
    question: shown?.question ?? null,
    error: latest?.question === question ? latest.pages.error : null,
    want,
    retry,
    add,
    isFresh: (id) => fresh.has(id),
  };
}
