// Keeps a plot in an element and draws it again when its data, its width or the page's colours change.
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { getNumberFormat } from "../format.ts";
import type { Colours, Plot } from "./plot.ts";
import { buildTicks } from "./tick.ts";
import { stack, type Timeline } from "./timeline.ts";
import { useScheme } from "./useScheme.ts";

type PlotElements = {
  /** The element to draw into; its style sets the colours of text, lines and background. */
  readonly host: RefObject<HTMLElement | null>;
  /** Holds a `.swatch` in each card's colour, in the order of the cards. */
  readonly legend: RefObject<HTMLElement | null>;
};

type PlotListener = {
  readonly onPoint: (step: number | null) => void;
  readonly onPick: (step: number, event: MouseEvent) => void;
};

const TICK_WIDTH = 64;

/** Returns the plot (null until drawn), whether it failed to load, and the element's width in CSS pixels. */
export function usePlot(timeline: Timeline, { host, legend }: PlotElements, listener: PlotListener) {
  const [plot, setPlot] = useState<Plot | null>(null);
  const [isMissing, setIsMissing] = useState(false);
  const width = useWidth(host);
  const scheme = useScheme();
  const latest = useRef(listener);
  latest.current = listener;

  useEffect(() => {
    const element = host.current;
    if (element === null || width === 0) {
      return undefined;
    }
    let opened: Plot | null = null;
    let isGone = false;
    // Loaded later, because the table need not wait for its 20 KB or so.
    const draw = ({ Plot }: typeof import("./plot.ts")): void => {
      if (isGone) {
        return;
      }
      const drawing = {
        layers: stack(timeline),
        steps: timeline.starts.length,
        ticks: buildTicks(timeline.starts, timeline.unit, Math.floor(width / TICK_WIDTH)),
        colours: readColours(element, legend.current),
        formatCount: (count: number) => getNumberFormat({ notation: "compact" }).format(count),
      };
      opened = new Plot(element, drawing, {
        onPoint: (step) => latest.current.onPoint(step),
        onPick: (step, event) => latest.current.onPick(step, event),
      });
      setPlot(opened);
    };
    import("./plot.ts").then(draw).catch(() => setIsMissing(true));
    return () => {
      isGone = true;
      opened?.close();
      setPlot(null);
    };
  }, [timeline, width, scheme]);

  return { plot, isMissing, width };
}

function useWidth(host: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    if (host.current !== null) {
      watcher.observe(host.current);
    }
    return () => watcher.disconnect();
  }, []);
  return width;
}

/** Reads the effective colours: light, dark, or forced by the system. */
function readColours(host: HTMLElement, legend: HTMLElement | null): Colours {
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
