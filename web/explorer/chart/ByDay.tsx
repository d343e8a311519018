// How many transactions there are in each hour, day, week or month, in layers of cards. A step is looked at by pointer or
// arrow keys; picked, the window of the question begins with it.
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";

import { formatCount, getTimeZone } from "../format.ts";
import { Frame, type ChartProps } from "./Frame.tsx";
import { findHue } from "./hue.ts";
import type { Unit } from "./need.ts";
import type { Plot } from "./plot.ts";
import { countDaysSince, foldCards, selectCard, stack, type Timeline } from "./timeline.ts";
import { buildTicks, nameStart } from "./tick.ts";
import { useScheme } from "./useScheme.ts";
import { useTimeline } from "./useTimeline.ts";

const TITLES: Readonly<Record<Unit, string>> = { HOUR: "By hour", DAY: "By day", WEEK: "By week", MONTH: "By month" };
const NUMBERS: Readonly<Record<Unit, string>> = { HOUR: "hours", DAY: "days", WEEK: "weeks", MONTH: "months" };
const STEPS: Readonly<Record<Unit, string>> = { HOUR: "Hour", DAY: "Day", WEEK: "Week", MONTH: "Month" };
const TICK_WIDTH = 64;
const PAGE = 7;

export function ByDay({ question, onPick }: ChartProps) {
  const { view, timeline: all, timeZone } = useTimeline(question);
  // A picture is drawn anew for each new timeline.
  const timeline = useMemo(() => foldCards(selectCard(all, question.cardType)), [all, question.cardType]);
  const { unit, starts, cards, totals, total } = timeline;

  const table = () => ({
    head: [STEPS[unit], "All", ...cards.map(({ name }) => name)],
    rows: starts.map((start, step) => [
      nameStart(start, unit),
      totals[step] ?? 0,
      ...cards.map(({ counts }) => counts[step] ?? 0),
    ]),
  });
  const isElsewhere = timeZone !== getTimeZone();

  return (
    <Frame
      {...{ question, onPick, view, total, table }}
      title={TITLES[unit]}
      name="day"
      note={isElsewhere ? `On the clocks of ${timeZone}: the gateway does not know this device’s time zone.` : null}
    >
      <Columns
        timeline={timeline}
        pick={(step) => onPick({ days: countDaysSince(starts[step] ?? "", Date.now()) })}
      />
    </Frame>
  );
}

type ColumnsProps = { readonly timeline: Timeline; readonly pick: (step: number) => void };

function Columns({ timeline, pick }: ColumnsProps) {
  const host = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const [plot, setPlot] = useState<Plot | null>(null);
  const [width, setWidth] = useState(0);
  const [step, setStep] = useState<number | null>(null);
  const scheme = useScheme();
  const hint = useId();
  const { unit, starts, cards } = timeline;
  // What was shown when a finger came down: the first tap shows a step, as a pointer does, and the next one picks it.
  const touched = useRef<number | null>(null);
  const choose = (picked: number, event: MouseEvent): void => {
    const isTouch = event instanceof PointerEvent && event.pointerType === "touch";
    if (!isTouch || touched.current === picked) {
      pick(picked);
    }
  };
  const choosing = useRef(choose);
  choosing.current = choose;

  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    if (host.current !== null) {
      watcher.observe(host.current);
    }
    return () => watcher.disconnect();
  }, []);

  useEffect(() => {
    const element = host.current;
    if (element === null || width === 0) {
      return undefined;
    }
    let opened: Plot | null = null;
    let isGone = false;
    // Some 20 KB, which the table need not wait for.
    void import("./plot.ts").then(({ Plot }) => {
      if (isGone) {
        return;
      }
      const drawing = {
        layers: stack(timeline),
        steps: starts.length,
        ticks: buildTicks(starts, unit, Math.floor(width / TICK_WIDTH)),
        colours: readColours(element, legend.current),
        formatCount: (count: number) => count.toLocaleString(undefined, { notation: "compact" }),
      };
      opened = new Plot(element, drawing, {
        onPoint: setStep,
        onPick: (picked, event) => choosing.current(picked, event),
      });
      setPlot(opened);
    });
    return () => {
      isGone = true;
      opened?.close();
      setPlot(null);
    };
  }, [timeline, width, scheme]);

  const point = (next: number | null): void => {
    plot?.point(next);
    setStep(next);
  };
  const press = (event: KeyboardEvent): void => {
    const current = step ?? starts.length;
    const last = starts.length - 1;
    const moves: Record<string, number> = {
      ArrowLeft: current - 1,
      ArrowDown: current - 1,
      ArrowRight: current + 1,
      ArrowUp: current + 1,
      PageDown: current - PAGE,
      PageUp: current + PAGE,
      Home: 0,
      End: last,
    };
    const next = moves[event.key];
    if (next !== undefined) {
      point(Math.min(last, Math.max(0, next)));
    } else if (event.key === "Enter" && step !== null) {
      pick(step);
    } else if (event.key === "Escape") {
      point(null);
    } else {
      return;
    }
    event.preventDefault();
  };

  const seen = step === null || step >= starts.length ? null : step;
  return (
    <>
      <div class="plot">
        <div
          class="plot-canvas"
          ref={host}
          role="img"
          aria-label={describe(timeline)}
          onPointerDown={() => (touched.current = step)}
        />
        <div
          class="plot-slider"
          role="slider"
          tabIndex={0}
          aria-label={STEPS[unit]}
          aria-describedby={hint}
          aria-valuemin={0}
          aria-valuemax={Math.max(0, starts.length - 1)}
          aria-valuenow={seen ?? Math.max(0, starts.length - 1)}
          aria-valuetext={describeStep(timeline, seen ?? starts.length - 1)}
          onKeyDown={press}
          onFocus={() => step === null && point(starts.length - 1)}
          onBlur={() => point(null)}
        />
        {plot !== null && seen !== null && <Tooltip {...{ plot, timeline, width }} step={seen} />}
        <span id={hint} class="unseen">
          Arrow keys move, Enter shows only what came since.
        </span>
      </div>
      <ul class="legend" ref={legend}>
        {cards.map(({ name, card }) => (
          <li key={name}>
            <span class="swatch" data-hue={findHue(card)} aria-hidden="true" />
            {name}
          </li>
        ))}
      </ul>
    </>
  );
}

function Tooltip({ plot, timeline, step, width }: { plot: Plot; timeline: Timeline; step: number; width: number }) {
  const { unit, starts, cards, totals } = timeline;
  const place = plot.place(step);
  const isLeft = place.left > width / 2;
  const position = isLeft
    ? { insetInlineEnd: `${width - place.left + 8}px` }
    : { insetInlineStart: `${place.left + place.width + 8}px` };
  return (
    <div class="tooltip plot-tooltip" style={position} aria-hidden="true">
      <b>{nameStart(starts[step] ?? "", unit)}</b>
      <table>
        <tbody>
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

/** The gist of the picture, for those who do not see it. */
function describe({ unit, starts, cards, totals, total }: Timeline): string {
  const most = totals.indexOf(Math.max(...totals));
  const shares = cards.map((series) => `${series.name} ${formatCount(series.total)}`).join(", ");
  const peak = `${nameStart(starts[most] ?? "", unit)}, ${formatCount(totals[most] ?? 0)}`;
  return `${formatCount(total)} transactions in ${starts.length} ${NUMBERS[unit]}, most of them ${peak}. ${shares}.`;
}

function describeStep({ unit, starts, cards, totals }: Timeline, step: number): string {
  const start = starts[step];
  if (start === undefined) {
    return "";
  }
  const parts = cards.map(({ name, counts }) => `${name} ${formatCount(counts[step] ?? 0)}`);
  return `${nameStart(start, unit)}: ${formatCount(totals[step] ?? 0)} transactions; ${parts.join(", ")}`;
}

/** Reads what the style sheet has made of the colours: light, dark, or as the system forces them. */
function readColours(host: HTMLElement, legend: HTMLElement | null): import("./plot.ts").Colours {
  const style = getComputedStyle(host);
  const swatches = [...(legend?.querySelectorAll(".swatch") ?? [])];
  return {
    layers: swatches.map((swatch) => getComputedStyle(swatch).backgroundColor),
    text: style.color,
    grid: style.borderTopColor,
    ground: style.backgroundColor,
    font: style.fontFamily,
  };
}
