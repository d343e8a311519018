// Keeps the visible rows in place while others are added above; a new query starts at its first row.
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { isSameQuestion, type Question } from "./question.ts";
import type { Rows } from "./rows.ts";
import { type Anchor, findShift } from "./rowWindow.ts";
import type { View } from "./view.ts";

/** `onShift` receives how many rows were added above the visible ones; null if the rows belong to another query. */
export function useAnchor(
  scroller: RefObject<HTMLElement | null>,
  { question, rows }: Rows,
  view: View,
  height: number,
  onShift: (shift: number | null) => void,
): void {
  const shown = useRef<Question | null>(null);
  const anchor = useRef<Anchor | null>(null);

  useLayoutEffect(() => {
    // A reload of the same query keeps the scroll position.
    if (question !== null && shown.current !== null && !isSameQuestion(question, shown.current)) {
      scroller.current?.scrollTo(0, 0);
      anchor.current = null;
      onShift(null);
    }
    shown.current = question;
  }, [question]);

  useLayoutEffect(() => {
    const shift = anchor.current === null ? 0 : findShift(rows, anchor.current);
    if (shift > 0) {
      // At the top, new rows should be visible.
      if (view.top > 0) {
        scroller.current?.scrollBy(0, shift * height);
      }
      onShift(shift);
    }
    const index = Math.floor(view.top / height);
    const first = rows[index];
    anchor.current = first === undefined ? null : { id: first.id, index };
  });
}
