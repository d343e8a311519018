// A timeline as columns stacked by card, whose steps can be inspected and picked by pointer, touch and keys.
import { useEffect, useRef, useState } from "preact/hooks";

import { findHue } from "./hue.ts";
import { StepSlider } from "./StepSlider.tsx";
import { StepTooltip } from "./StepTooltip.tsx";
import type { Timeline } from "./timeline.ts";
import { useEscape } from "./useEscape.ts";
import { usePlot } from "./usePlot.ts";
import { describeTimeline } from "./words.ts";

type StackedColumnsProps = { readonly timeline: Timeline; readonly onPick: (step: number) => void };

export function StackedColumns({ timeline, onPick }: StackedColumnsProps) {
  const host = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  // The start of the inspected step: its position changes after a pick, and while the page is live.
  const [start, setStart] = useState<string | null>(null);
  const position = start === null ? -1 : timeline.starts.indexOf(start);
  const step = position < 0 ? null : position;
  // The step shown when a touch began: the first tap shows a step, as hovering does, and the next one picks it.
  const touched = useRef<number | null>(null);
  const look = (next: number | null): void => setStart(next === null ? null : (timeline.starts[next] ?? null));
  const { plot, isMissing, width } = usePlot(timeline, { host, legend }, {
    onPoint: look,
    onPick: (picked, event) => {
      const isTouch = event instanceof PointerEvent && event.pointerType === "touch";
      if (!isTouch || touched.current === picked) {
        onPick(picked);
      }
    },
  });
  const point = (next: number | null): void => {
    plot?.point(next);
    look(next);
  };
  // While the page is live, the plot is drawn again during inspection and must show its mark again.
  useEffect(() => plot?.point(step), [plot]);
  useEscape(step !== null, () => point(null));

  return (
    <>
      <div class="plot">
        <div
          class="plot-canvas"
          ref={host}
          role="img"
          aria-label={describeTimeline(timeline)}
          onPointerDown={() => (touched.current = step)}
        />
        <StepSlider timeline={timeline} step={step} onPoint={point} onPick={onPick} />
        {isMissing && <p class="chart-message">The chart could not be loaded. The table has the same numbers.</p>}
        {plot !== null && step !== null && (
          <StepTooltip timeline={timeline} step={step} place={plot.place(step)} width={width} />
        )}
      </div>
      <ul class="legend" ref={legend}>
        {timeline.cards.map(({ name, card }) => (
          <li key={name}>
            <span class="swatch" data-hue={findHue(card)} aria-hidden="true" />
            {name}
          </li>
        ))}
      </ul>
    </>
  );
}
