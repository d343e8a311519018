// Columns over time, drawn by uPlot on a canvas. It only knows positions and colours; StackedColumns.tsx adds the rest.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import type { Tick } from "./tick.ts";

export type Colours = {
  /** The colour of each layer, bottom first. */
  readonly layers: readonly string[];
  readonly text: string;
  readonly grid: string;
  readonly ground: string;
  readonly font: string;
};

export type Drawing = {
  /** The upper edge of each layer in each step, bottom layer first. */
  readonly layers: readonly (readonly number[])[];
  readonly steps: number;
  readonly ticks: readonly Tick[];
  readonly colours: Colours;
  readonly formatCount: (count: number) => string;
};

type PlotListener = {
  /** Receives the step under the pointer, or null. */
  readonly onPoint: (step: number | null) => void;
  readonly onPick: (step: number, event: MouseEvent) => void;
};

/** In CSS pixels, within the host. */
export type Place = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };

const AXIS_HEIGHT = 24;
const LABEL_SPACE = 36;
const WIDEST_COLUMN = 48;
// Only columns that are wide and high enough have gaps between layers; smaller ones would consist of gaps.
const GAP_FROM = 7;
const GAP_SHARE = 0.1;
const WHOLE_STEPS = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power));
// Half a label: closer to the edge it would be cut off.
const EDGE = 22;

export class Plot {
  readonly #plot: uPlot;

  /** Draws into an element and takes its size; `close` removes the plot. */
  constructor(host: HTMLElement, drawing: Drawing, listener: PlotListener) {
    const options = buildOptions(drawing, host.clientWidth, host.clientHeight, listener);
    // Later series cover earlier ones, so the topmost layer comes first.
    const layers = drawing.layers.toReversed().map((counts) => counts.map((count) => (count === 0 ? null : count)));
    const steps = Array.from({ length: drawing.steps }, (_, step) => step);
    this.#plot = new uPlot(options, [steps, ...layers], host);
    this.#plot.over.addEventListener("click", (event) => {
      const step = this.#plot.cursor.idx;
      if (step !== null && step !== undefined) {
        listener.onPick(step, event);
      }
    });
  }

  /** Moves the mark to a step; null removes it. */
  point(step: number | null): void {
    const left = step === null ? -10 : this.#plot.valToPos(step, "x");
    this.#plot.setCursor({ left, top: step === null ? -10 : 0 }, false);
  }

  /** Returns the place of a step's column. */
  place(step: number): Place {
    const { over } = this.#plot;
    const width = this.#plot.valToPos(1, "x") - this.#plot.valToPos(0, "x");
    const left = over.offsetLeft + this.#plot.valToPos(step, "x") - width / 2;
    return { left, top: over.offsetTop, width, height: over.offsetHeight };
  }

  close(): void {
    this.#plot.destroy();
  }
}

function buildOptions(drawing: Drawing, width: number, height: number, listener: PlotListener): uPlot.Options {
  const { layers, steps, colours, formatCount } = drawing;
  const font = `12px ${colours.font}`;
  const largest = Math.max(1, ...(layers.at(-1) ?? []));
  const stepWidth = width / Math.max(1, steps);
  const ticks = drawing.ticks.filter(({ index }) => (steps - index - 0.5) * stepWidth > EDGE);
  const columns = uPlot.paths.bars?.({ size: [stepWidth < GAP_FROM ? 0.92 : 0.78, WIDEST_COLUMN, 1] });
  const hasGaps = isRoomy(layers.at(-1) ?? [], largest, stepWidth);
  const outline = hasGaps ? { width: 1, stroke: colours.ground } : { width: 0 };
  return {
    width,
    height,
    padding: [8, 0, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      // Dragging is off; by default, uPlot swallows clicks that it mistakes for the end of a drag.
      drag: { x: false, y: false, click: () => {} },
      move: (plot, left, top) => [left < 0 ? left : plot.valToPos(plot.posToIdx(left), "x"), top],
    },
    scales: {
      x: { time: false, range: () => [-0.5, steps - 0.5] },
      y: { range: () => [0, largest * 1.04] },
    },
    axes: [
      {
        stroke: colours.text,
        font,
        size: AXIS_HEIGHT,
        gap: 6,
        grid: { show: false },
        ticks: { show: false },
        splits: () => ticks.map(({ index }) => index),
        values: () => ticks.map(({ label }) => label),
      },
      {
        stroke: colours.text,
        font,
        gap: 6,
        size: (_, values) => 10 + 7.2 * Math.max(1, ...(values ?? []).map((text) => text.length)),
        space: LABEL_SPACE,
        incrs: WHOLE_STEPS,
        grid: { stroke: colours.grid, width: 1 },
        ticks: { show: false },
        values: (_, counts) => counts.map(formatCount),
      },
    ],
    series: [
      {},
      ...colours.layers.toReversed().map((fill) => ({
        fill,
        ...outline,
        points: { show: false },
        ...(columns && { paths: columns }),
      })),
    ],
    hooks: { setCursor: [(plot) => listener.onPoint(plot.cursor.idx ?? null)] },
  };
}

/** Whether the median column has room for gaps between its layers. */
function isRoomy(totals: readonly number[], largest: number, stepWidth: number): boolean {
  const sorted = totals.filter((count) => count > 0).sort((one, other) => one - other);
  return stepWidth >= GAP_FROM && (sorted[Math.floor(sorted.length / 2)] ?? 0) >= largest * GAP_SHARE;
}
