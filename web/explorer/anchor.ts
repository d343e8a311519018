// Keeps the rows that somebody reads where they are while others come in above; a new question begins at its first row.
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { isSameQuestion, type Question } from "./question.ts";
import type { Rows } from "./rows.ts";
import { type Anchor, findShift } from "./rowWindow.ts";
import type { View } from "./view.ts";

/** `onShift` is told how many rows came in above those that are seen; null where the rows are another question's. */
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
    // The same question, asked again, stays where it is.
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
      // Who looks at the top wants to see what comes.
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
