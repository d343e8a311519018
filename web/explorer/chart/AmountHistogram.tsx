// The distribution of amounts, in steps of 1-2-5; a click picks a range, with Shift several.
import { useRef, useState } from "preact/hooks";

import { formatCount } from "../format.ts";
import { formatShare } from "./Bars.tsx";
import { Frame, type ChartProps } from "./Frame.tsx";
import { needByAmount } from "./need.ts";
import { buildRanges, isPicked, nameBound, nameRange, pickRange } from "./range.ts";
import { useEscape } from "./useEscape.ts";
import { useSummary } from "./useSummary.ts";

export function AmountHistogram({ question, onPick }: ChartProps) {
  const view = useSummary(needByAmount(question), question);
  const list = useRef<HTMLUListElement>(null);
  const [current, setCurrent] = useState(0);
  const [shown, setShown] = useState<number | null>(null);
  useEscape(shown !== null, () => setShown(null));
  const ranges = buildRanges(view.summary?.groups ?? []);
  const total = ranges.reduce((sum, { count }) => sum + count, 0);
  const largest = Math.max(1, ...ranges.map(({ count }) => count));
  const isAnyPicked = ranges.some((range) => isPicked(range, question));
  const focusable = Math.min(current, ranges.length - 1);

  const move = (event: KeyboardEvent): void => {
    const steps = { ArrowLeft: focusable - 1, ArrowRight: focusable + 1, Home: 0, End: ranges.length - 1 };
    const next = steps[event.key as keyof typeof steps] ?? -1;
    if (next >= 0 && next < ranges.length) {
      event.preventDefault();
      setCurrent(next);
      list.current?.querySelectorAll("button")[next]?.focus();
    }
  };

  const table = () => ({
    head: ["Amount", "Transactions", "Share"],
    rows: ranges.map((range) => [nameRange(range), range.count, formatShare(range.count, total)]),
  });

  return (
    <Frame
      {...{ question, onPick, view, total, table }}
      title="By amount"
      name="amount"
      note="Each amount in its own currency. Shift-click selects several ranges."
    >
      <ul class={isAnyPicked ? "columns columns-picked" : "columns"} ref={list} onKeyDown={move}>
        {ranges.map((range, index) => (
          <li key={range.minAmount} onMouseEnter={() => setShown(index)} onMouseLeave={() => setShown(null)}>
            <button
              type="button"
              class="column"
              tabIndex={index === focusable ? 0 : -1}
              aria-label={`${nameRange(range)}: ${describe(range.count, total)}`}
              aria-pressed={isPicked(range, question)}
              onFocus={() => {
                setCurrent(index);
                setShown(index);
              }}
              onBlur={() => setShown(null)}
              onClick={(event) => onPick(pickRange(range, question, event.shiftKey))}
            >
              <span class="column-fill" style={{ blockSize: `${(100 * range.count) / largest}%` }} />
            </button>
            <span class="column-label" aria-hidden="true">
              {nameBound(range)}
            </span>
            {shown === index && (
              <span class="tooltip" aria-hidden="true">
                <b>{nameRange(range)}</b> {describe(range.count, total)}
              </span>
            )}
          </li>
        ))}
      </ul>
    </Frame>
  );
}

function describe(count: number, total: number): string {
  return `${formatCount(count)} ${count === 1 ? "transaction" : "transactions"}, ${formatShare(count, total)}`;
}
