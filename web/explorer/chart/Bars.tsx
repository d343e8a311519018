// Horizontal bars: a list of names, each with its number as text and as a length. Bars that can be picked are buttons.
import { useState } from "preact/hooks";

import { formatCount, formatPercent } from "../format.ts";

export type Bar = {
  readonly key: string;
  readonly name: string;
  readonly count: number;
  /** The index of a colour in chart.css; without it, the colour of everything that is not a card. */
  readonly hue?: number;
  /** Picks the bar; without it, the bar cannot be picked. */
  readonly pick?: () => void;
  readonly isPicked?: boolean;
};

type BarsProps = {
  readonly bars: readonly Bar[];
  /** The total, for shares; without it, no shares are shown. */
  readonly total?: number;
  /** How many are shown at first. */
  readonly most: number;
};

export function Bars({ bars, total, most }: BarsProps) {
  const [isWhole, setIsWhole] = useState(false);
  const largest = Math.max(1, ...bars.map((bar) => bar.count));
  const isAnyPicked = bars.some((bar) => bar.isPicked);
  // A picked bar stays visible, because a click on it undoes the choice.
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

/** Formats a share of a total: “12 %”, and “< 1 %” for a small share above 0. */
export function formatShare(count: number, total: number): string {
  const share = total === 0 ? 0 : count / total;
  return share > 0 && share < 0.005 ? `< ${formatPercent(0.01)}` : formatPercent(share);
}
