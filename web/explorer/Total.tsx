// The exact number of transactions of the query.
import type { Answer } from "./answer.ts";
import { formatCount, formatWithin } from "./format.ts";
import { isSameFilter, type Question } from "./question.ts";
import { Wait } from "./Wait.tsx";

type TotalProps = { readonly question: Question; readonly total: Answer<number> };

export function Total({ question, total }: TotalProps) {
  const { value, isWaiting } = total;
  const isStale = total.question !== null && !isSameFilter(total.question, question);
  const isKnown = value !== null && (!isStale || isWaiting);
  return (
    <p class="total" aria-busy={isWaiting}>
      <strong class={isStale || !isKnown ? "pale" : ""}>{isKnown ? formatCount(value) : "–"}</strong>
      {/* Not shown before the number, whose arrival would move these words. */}
      {(isKnown || !isWaiting) && (
        <span>
          {value === 1 && !isStale ? "transaction" : "transactions"} {formatWithin(question.days)}
        </span>
      )}
      <Wait answer={total} what="The count" />
    </p>
  );
}
