// Keyboard access to the steps of a timeline: a slider that covers the plot and ignores pointers.
import { useId } from "preact/hooks";

import type { Timeline } from "./timeline.ts";
import { describeStep, STEPS } from "./words.ts";

type StepSliderProps = {
  readonly timeline: Timeline;
  readonly step: number | null;
  readonly onPoint: (step: number | null) => void;
  readonly onPick: (step: number) => void;
};

const PAGE = 7;

export function StepSlider({ timeline, step, onPoint, onPick }: StepSliderProps) {
  const hint = useId();
  const last = Math.max(0, timeline.starts.length - 1);

  const press = (event: KeyboardEvent): void => {
    const next = findNext(event.key, step ?? last, last);
    if (next !== null) {
      onPoint(next);
    } else if (event.key === "Enter" && step !== null) {
      onPick(step);
    } else {
      return;
    }
    event.preventDefault();
  };

  return (
    <>
      <div
        class="plot-slider"
        role="slider"
        tabIndex={0}
        aria-label={STEPS[timeline.unit]}
        aria-describedby={hint}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={step ?? last}
        aria-valuetext={describeStep(timeline, step ?? last)}
        onKeyDown={press}
        onFocus={() => step === null && onPoint(last)}
        onBlur={() => onPoint(null)}
      />
      <span id={hint} class="unseen">
        Arrow keys move, Enter shows only what came since.
      </span>
    </>
  );
}

/** Returns the step that a key leads to, as for sliders (ARIA Authoring Practices); null for any other key. */
function findNext(key: string, step: number, last: number): number | null {
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return Math.max(0, step - 1);
    case "ArrowRight":
    case "ArrowUp":
      return Math.min(last, step + 1);
    case "PageDown":
      return Math.max(0, step - PAGE);
    case "PageUp":
      return Math.min(last, step + PAGE);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}
