// The number of transactions in each hour, day, week or month. A picked step becomes the start of the query's window,
// which always ends now.
import { useMemo } from "preact/hooks";

import { getTimeZone } from "../format.ts";
import { Frame, type ChartProps } from "./Frame.tsx";
import { StackedColumns } from "./StackedColumns.tsx";
import { nameStart } from "./tick.ts";
import { countDaysSince, foldCards, selectCard } from "./timeline.ts";
import { useTimeline } from "./useTimeline.ts";
import { STEPS, TITLES } from "./words.ts";

export function ByDay({ question, onPick }: ChartProps) {
  const { view, timeline: all, timeZone } = useTimeline(question);
  // Memoised, because the plot is drawn again for each new timeline object.
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
      note={isElsewhere ? `Days are in ${timeZone}: the gateway does not know this device’s time zone.` : null}
    >
      <StackedColumns
        timeline={timeline}
        onPick={(step) => onPick({ days: countDaysSince(starts[step] ?? "", Date.now()) })}
      />
    </Frame>
  );
}
