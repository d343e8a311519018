// The conditions that narrow the query; a click removes one.
import { useLayoutEffect, useRef } from "preact/hooks";

import { listConditions } from "./condition.ts";
import type { Question } from "./question.ts";

type ChipsProps = { readonly question: Question; readonly onPick: (change: Partial<Question>) => void };

export function Chips({ question, onPick }: ChipsProps) {
  const conditions = listConditions(question);
  const list = useRef<HTMLUListElement>(null);
  const removed = useRef<number | null>(null);
  // Otherwise, removing the focused chip would move the focus to the start of the page (WCAG 2.2, 2.4.3).
  useLayoutEffect(() => {
    if (removed.current !== null) {
      const chips = [...(list.current?.querySelectorAll("button") ?? [])];
      const next = chips[removed.current] ?? chips.at(-1) ?? document.getElementById("answer");
      next?.focus({ preventScroll: true });
      removed.current = null;
    }
  }, [question]);

  return conditions.length === 0 ? null : (
    <ul class="chips" aria-label="Active filters" ref={list}>
      {conditions.map(({ text, without }, position) => (
        <li key={text}>
          <button
            type="button"
            class="chip"
            aria-label={`Remove the filter ${text}`}
            onClick={() => {
              removed.current = position;
              onPick(without);
            }}
          >
            {text}
            <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
