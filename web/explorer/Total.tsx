// How many transactions the question has, exactly.
import type { Answer } from "./answer.ts";
import { formatCount, formatWithin } from "./format.ts";
import type { Question } from "./question.ts";
import { isSameFilter } from "./question.ts";
import { Wait } from "./Wait.tsx";

type TotalProps = { readonly question: Question; readonly total: Answer<number> };

export function Total({ question, total }: TotalProps) {
  const isStale = total.question !== null && !isSameFilter(total.question, question);
  return (
    <p class="total" aria-busy={total.isWaiting}>
      <strong class={isStale || total.value === null ? "pale" : ""}>
        {total.value === null || (isStale && !total.isWaiting) ? "–" : formatCount(total.value)}
      </strong>
      <span>
        {total.value === 1 && !isStale ? "transaction" : "transactions"} {formatWithin(question.days)}
        <Wait answer={total} what="The count" />
      </span>
    </p>
  );
}
