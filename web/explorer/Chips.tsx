// The conditions that narrow the question, each taken away by a click.
import { listConditions } from "./condition.ts";
import type { Question } from "./question.ts";

type ChipsProps = { readonly question: Question; readonly onPick: (change: Partial<Question>) => void };

export function Chips({ question, onPick }: ChipsProps) {
  const conditions = listConditions(question);
  return conditions.length === 0 ? null : (
    <ul class="chips" aria-label="Active filters">
      {conditions.map(({ text, without }) => (
        <li key={text}>
          <button type="button" class="chip" aria-label={`Remove the filter ${text}`} onClick={() => onPick(without)}>
            {text}
            <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
