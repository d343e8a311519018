// Bars that lie: a list of names, each with its number in words and as a length. What can be picked is a button.
import { useState } from "preact/hooks";

import { formatCount, formatPercent } from "../format.ts";

export type Bar = {
  readonly key: string;
  readonly name: string;
  readonly count: number;
  /** A position of chart.css's colours; without one the colour of all that is no card. */
  readonly hue?: number;
  /** A bar without it is only shown. */
  readonly pick?: () => void;
  readonly isPicked?: boolean;
};

type BarsProps = {
  readonly bars: readonly Bar[];
  /** What is all, for shares; without it none are told. */
  readonly total?: number;
  /** How many are shown at first. */
  readonly most: number;
};

export function Bars({ bars, total, most }: BarsProps) {
  const [isWhole, setIsWhole] = useState(false);
  const largest = Math.max(1, ...bars.map((bar) => bar.count));
  const isAnyPicked = bars.some((bar) => bar.isPicked);
  // One that is picked stays in sight, for it is where it is taken back.
  const shown = bars.filter((bar, position) => isWhole || position < most || bar.isPicked);
  const hidden = bars.length - shown.length;

  return (
    <>
      <ul class={isAnyPicked ? "bars bars-picked" : "bars"}>
        {shown.map((bar) => (
          <li key={bar.key}>
            {bar.pick ? (
              <button type="button" class="bar" aria-pressed={bar.isPicked ?? false} onClick={bar.pick}>
                <Line {...{ bar, largest, total }} />
              </button>
            ) : (
              <div class="bar">
                <Line {...{ bar, largest, total }} />
              </div>
            )}
          </li>
        ))}
      </ul>
      {(hidden > 0 || isWhole) && bars.length > most && (
        <button type="button" class="small bars-more" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `and ${formatCount(hidden)} more`}
        </button>
      )}
    </>
  );
}

function Line({ bar, largest, total }: { bar: Bar; largest: number; total: number | undefined }) {
  return (
    <>
      <span class="bar-name" title={bar.name}>
        {bar.name}
      </span>{" "}
      <span class="bar-count">{formatCount(bar.count)}</span>{" "}
      {total !== undefined && <span class="bar-share">{formatShare(bar.count, total)}</span>}
      <span class="bar-track" aria-hidden="true">
        <span class="bar-fill" data-hue={bar.hue} style={{ inlineSize: `${(100 * bar.count) / largest}%` }} />
      </span>
    </>
  );
}

/** Writes a share of a total: “12 %”, and “< 1 %” for what is little but not nothing. */
export function formatShare(count: number, total: number): string {
  const share = total === 0 ? 0 : count / total;
  return share > 0 && share < 0.005 ? `< ${formatPercent(0.01)}` : formatPercent(share);
}
