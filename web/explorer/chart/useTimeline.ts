// The summary by time and card, which two charts share.
import { useMemo, useState } from "preact/hooks";

import { AskError } from "../api.ts";
import { getTimeZone } from "../format.ts";
import type { ByTimeQuery } from "../operations.ts";
import type { Question } from "../question.ts";
import { chooseUnit, needByTime, type Summary, type Unit } from "./need.ts";
import { buildTimeline, type Timeline } from "./timeline.ts";
import { useSummary, type SummaryView } from "./useSummary.ts";

const UTC = "UTC";

// The charts and the choices share a summary: its timeline is built once.
const timelines = new WeakMap<Summary<ByTimeQuery>, Timeline>();

export type TimelineView = {
  readonly view: SummaryView<ByTimeQuery>;
  readonly timeline: Timeline;
  /** The browser's time zone, or UTC if the gateway does not know it. */
  readonly timeZone: string;
};

export function useTimeline(question: Question): TimelineView {
  const [timeZone, setTimeZone] = useState(getTimeZone);
  const view = useSummary(needByTime(question, timeZone), question);
  if (timeZone !== UTC && view.error instanceof AskError && view.error.code === "INVALID_TIME_ZONE") {
    setTimeZone(UTC);
  }
  // The unit of the answer, not of the query: the answer may still be the previous one.
  const unit = view.answered?.variables.unit ?? chooseUnit(question.days);
  const timeline = useMemo(() => getTimeline(view.summary, unit), [view.summary, unit]);
  return { view, timeline, timeZone };
}

function getTimeline(summary: Summary<ByTimeQuery> | null, unit: Unit): Timeline {
  if (summary === null) {
    return buildTimeline([], unit);
  }
  // An answer has only one unit, that of its need, so the summary alone can be the key.
  const timeline = timelines.get(summary) ?? buildTimeline(summary.groups, unit);
  timelines.set(summary, timeline);
  return timeline;
}
