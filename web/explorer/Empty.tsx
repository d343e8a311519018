// Shown if nothing was found: offers wider queries, one click each.
import { listWider } from "./condition.ts";
import type { Question } from "./question.ts";

type EmptyProps = { readonly question: Question; readonly onPick: (change: Partial<Question>) => void };

export function Empty({ question, onPick }: EmptyProps) {
  const wider = listWider(question);
  if (wider.length === 0) {
    return (
      <div class="empty">
        <p>There are no transactions yet.</p>
        <p class="quiet">
          <code>gateway seed</code> creates some to try.
        </p>
      </div>
    );
  }
  return (
    <div class="empty">
      <p>No transactions match. Widen the filter:</p>
      <p class="actions">
        {wider.map(({ text, without }) => (
          <button key={text} type="button" class="button" onClick={() => onPick(without)}>
            {text}
          </button>
        ))}
      </p>
    </div>
  );
}
