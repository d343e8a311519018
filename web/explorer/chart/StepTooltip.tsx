// The content of a step, next to its column. Screen readers get the slider's text instead.
import { formatCount } from "../format.ts";
import { findHue } from "./hue.ts";
import type { Place } from "./plot.ts";
import { nameStart } from "./tick.ts";
import type { Timeline } from "./timeline.ts";

type StepTooltipProps = {
  readonly timeline: Timeline;
  readonly step: number;
  readonly place: Place;
  /** The width of the whole plot. */
  readonly width: number;
};

const GAP = 8;
/** In CSS pixels, as in chart.css. */
const WIDEST = 208;

export function StepTooltip({ timeline, step, place, width }: StepTooltipProps) {
  const { unit, starts, cards, totals } = timeline;
  // On the side with more room, overlapping the column if that is too little.
  const most = Math.max(0, width - WIDEST);
  const position =
    place.left > width / 2
      ? { right: `${Math.min(most, width - place.left + GAP)}px` }
      : { left: `${Math.min(most, place.left + place.width + GAP)}px` };
  return (
    <div class="tooltip plot-tooltip" style={position} aria-hidden="true">
      <b>{nameStart(starts[step] ?? "", unit)}</b>
      <table>
        <tbody>
          {/* As the layers lie on one another. */}
          {cards.toReversed().map(({ name, card, counts }) => (
            <tr key={name}>
              <th>
                <span class="swatch" data-hue={findHue(card)} />
                {name}
              </th>
              <td>{formatCount(counts[step] ?? 0)}</td>
            </tr>
          ))}
          {cards.length > 1 && (
            <tr class="tooltip-total">
              <th>All</th>
              <td>{formatCount(totals[step] ?? 0)}</td>
            </tr>
          )}
        </tbody>
      </table>
      <span class="tooltip-hint">Click for all since</span>
    </div>
  );
}
