// The live switch: turns the feed on for the query on screen, and describes its state in words.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import "./chart/chart.css";
import { refreshCharts } from "./chart/useSummary.ts";
import { formatCount } from "./format.ts";
import type { Batch } from "./inflow.ts";
import { findKey } from "./key.ts";
import { LiveFeed, type LiveState } from "./live.ts";
import type { Question } from "./question.ts";

type LiveProps = {
  readonly question: Question;
  /** Receives new rows, at most four times a second; the table may have some already: compare their ids. */
  readonly onBatch: (batch: Batch) => void;
  /** Called when counts have changed, at most every few seconds. The charts are refreshed already. */
  readonly onChange: () => void;
  /** Called when transactions may have been missed: everything shown must be loaded again. */
  readonly onGap: () => void;
};

type Tally = { readonly added: number; readonly skipped: number };

// Each refresh makes the database aggregate everything.
const REFRESH_MS = 4_000;
const ANNOUNCE_MS = 10_000;

export function Live(props: LiveProps) {
  const [isOn, setIsOn] = useState(false);
  const { state, tally } = useLive(isOn, props);
  const words = isOn && state !== null ? describe(state, tally) : "";
  const announced = useSteady(words, state?.phase ?? "", ANNOUNCE_MS);

  return (
    <div class="live" data-phase={isOn ? state?.phase : "off"}>
      <button type="button" role="switch" class="live-switch" aria-checked={isOn} onClick={() => setIsOn(!isOn)}>
        <span class="live-lamp" aria-hidden="true" />
        Live
      </button>
      <span class="live-words" aria-hidden="true">
        {words}
      </span>
      <span class="unseen" role="status">
        {announced}
      </span>
    </div>
  );
}

function useLive(isOn: boolean, props: LiveProps): { state: LiveState | null; tally: Tally } {
  const [state, setState] = useState<LiveState | null>(null);
  const [tally, setTally] = useState<Tally>({ added: 0, skipped: 0 });
  const handlers = useRef(props);
  handlers.current = props;
  const { days, cardType, country, minAmount, maxAmount } = props.question;
  const key = findKey();

  // An equal filter keeps the feed, regardless of the table's order and of reloads. Another key needs another feed:
  // what was refused may be allowed now, and vice versa.
  useEffect(() => {
    if (!isOn) {
      return undefined;
    }
    let refresh: ReturnType<typeof setTimeout> | undefined;
    setTally({ added: 0, skipped: 0 });
    const feed = new LiveFeed(handlers.current.question, {
      onState: setState,
      onGap: () => handlers.current.onGap(),
      onBatch: (batch) => {
        setTally(({ added, skipped }) => ({
          added: added + batch.rows.length + batch.skipped,
          skipped: skipped + batch.skipped,
        }));
        handlers.current.onBatch(batch);
        refresh ??= setTimeout(() => {
          refresh = undefined;
          refreshCharts();
          handlers.current.onChange();
        }, REFRESH_MS);
      },
    });
    return () => {
      clearTimeout(refresh);
      feed.close();
      setState(null);
    };
  }, [isOn, key, days, cardType, country, minAmount, maxAmount]);

  return { state, tally };
}

function describe(state: LiveState, { added, skipped }: Tally): string {
  const came = added === 0 ? "" : `${formatCount(added)} new`;
  const left = skipped === 0 ? "" : `, of which ${formatCount(skipped)} are not in the table`;
  switch (state.phase) {
    case "connecting":
      return "Connecting …";
    case "live":
      return came === "" ? "Waiting for transactions" : came + left;
    case "reconnecting":
      return "Connection lost, trying again …";
    case "paused":
      return "Paused while hidden";
    case "refused":
      return `Not live: ${state.reason}`;
  }
}

/** Returns a text that changes at most once per `pauseMs`, or at once when `urgent` changes. */
function useSteady(text: string, urgent: string, pauseMs: number): string {
  const [shown, setShown] = useState(text);
  const latest = useRef(text);
  latest.current = text;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const show = useCallback(() => {
    timer.current = undefined;
    setShown(latest.current);
  }, []);

  useEffect(() => {
    timer.current ??= setTimeout(show, pauseMs);
  }, [text]);
  useEffect(show, [urgent]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return shown;
}
