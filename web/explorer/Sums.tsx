// The sum of the query's transactions in each currency: different currencies are never added.
import { useState } from "preact/hooks";

import type { Answer } from "./answer.ts";
import { isTooMuch } from "./api.ts";
import type { Sum } from "./document.ts";
import { Failure } from "./Failure.tsx";
import { formatAmount, formatCount } from "./format.ts";
import { isSameFilter, type Question } from "./question.ts";
import { Wait } from "./Wait.tsx";

const FEW = 5;

type SumsProps = {
  readonly question: Question;
  readonly sums: Answer<readonly Sum[]>;
  readonly onPick: (change: Partial<Question>) => void;
};

export function Sums({ question, sums, onPick }: SumsProps) {
  const [isWhole, setIsWhole] = useState(false);
  if (isTooMuch(sums.error)) {
    return <Failure error={sums.error} question={question} onRetry={sums.retry} onPick={onPick} />;
  }
  const isStale = sums.question !== null && !isSameFilter(sums.question, question);
  const all = sums.value ?? [];
  const isEmpty = all.length === 0 && sums.value !== null && sums.error === null;
  return isEmpty && !sums.isWaiting ? null : (
    <section class="sums" aria-label="Sums by currency" aria-busy={sums.isWaiting}>
      <ul class={isStale ? "pale" : ""} id="sums">
        {sums.value === null &&
          sums.isWaiting &&
          Array.from({ length: FEW }, (_, index) => <li class="skeleton" key={index} />)}
        {(isWhole ? all : all.slice(0, FEW)).map(({ currency, count, sum }) => (
          <li key={currency}>
            <span class="quiet">
              {currency} · {formatCount(count)}
            </span>
            <span class="number">{formatAmount(sum, currency)}</span>
          </li>
        ))}
      </ul>
      {all.length > FEW && (
        <button
          type="button"
          class="link"
          aria-expanded={isWhole}
          aria-controls="sums"
          onClick={() => setIsWhole(!isWhole)}
        >
          {isWhole ? "Fewer currencies" : `${formatCount(all.length - FEW)} more currencies`}
        </button>
      )}
      <Wait answer={sums} what="The calculation" />
    </section>
  );
}
