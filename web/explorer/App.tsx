// The whole page: one query in the address bar, and panels that each load their own answer to it.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { useAddress } from "./address.ts";
import { useAnswer } from "./answer.ts";
import { findOutage, isKeyWanted, type AskError } from "./api.ts";
import { AmountHistogram } from "./chart/AmountHistogram.tsx";
import { ByCard } from "./chart/ByCard.tsx";
import { ByCountry } from "./chart/ByCountry.tsx";
import { ByDay } from "./chart/ByDay.tsx";
import type { ChartProps } from "./chart/Frame.tsx";
import { Vendors } from "./chart/Vendors.tsx";
import { Chips } from "./Chips.tsx";
import { listConditions } from "./condition.ts";
import { Filters } from "./Filters.tsx";
import { formatCount, formatWithin } from "./format.ts";
import { findKey } from "./key.ts";
import { KeyDialog } from "./KeyDialog.tsx";
import { Listing } from "./Listing.tsx";
import { Live } from "./Live.tsx";
import { loadSums, loadTotal } from "./load.ts";
import { Masthead } from "./Masthead.tsx";
import { Outage } from "./Outage.tsx";
import { isSameFilter, type Question } from "./question.ts";
import { useRows } from "./rows.ts";
import { findServerFaults } from "./serverFault.ts";
import { Sums } from "./Sums.tsx";
import { Total } from "./Total.tsx";
import { Unknown } from "./Unknown.tsx";

export function App() {
  const { question, faults, unknown, pick, enter, rewrite, reload } = useAddress();
  const total = useAnswer(question, loadTotal);
  // Sums wait for the total: they read all transactions, which the total seldom has to.
  const sums = useAnswer(question, loadSums, !total.isWaiting);
  const rows = useRows(question);
  // Only the gateway can resolve a three-letter country code: its rows have the two letters that everything else uses.
  const country = rows.question === question ? (rows.rows[0]?.countryOrigin.toUpperCase() ?? null) : null;
  useLayoutEffect(() => {
    if (question.country?.length === 3 && country !== null && /^[A-Z]{2}$/.test(country)) {
      rewrite(question, { country });
    }
  }, [country, question, rewrite]);
  const [isKeyOpen, setIsKeyOpen] = useState(false);
  const closeKey = useCallback(() => setIsKeyOpen(false), []);

  // Memoised elements are not rendered again: new rows and sums do not concern the charts.
  const byDay = useMemo(() => <ByDay question={question} onPick={pick} />, [pick, question]);
  const facets = useMemo(() => <Facets question={question} onPick={pick} />, [pick, question]);
  // Rendered a moment after the rest, so that a phone shows the rest sooner.
  const [hasFacets, setHasFacets] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setHasFacets(true));
    return () => clearTimeout(timer);
  }, []);

  const isUnanswered = total.isWaiting && rows.question !== question && rows.error === null;
  const outage = useOutage([rows.error, total.error, sums.error], isUnanswered);
  const refused = [rows.error, total.error].find(isKeyWanted);
  useEffect(() => {
    if (refused !== undefined) {
      setIsKeyOpen(true);
    }
  }, [refused]);
  const knownTotal = total.question !== null && isSameFilter(total.question, question) ? total.value : null;

  return (
    <>
      <a class="skip" href="#answer">
        Skip to the answer
      </a>
      <Masthead hasKey={findKey() !== null} onKey={() => setIsKeyOpen(true)} />
      {outage !== undefined && <Outage error={outage} onRetry={reload} />}
      <div class="page">
        <aside class="rail" aria-label="Question">
          <Filters
            question={question}
            faults={{ ...faults, ...findServerFaults(rows.error, question) }}
            onPick={pick}
            onEnter={enter}
          />
        </aside>
        <main id="answer" tabIndex={-1}>
          <Unknown names={unknown} order={faults.order} />
          <div class="lead">
            <Total question={question} total={total} />
            <Live
              question={question}
              onBatch={({ rows: batch }) => rows.add(batch)}
              onChange={total.retry}
              onGap={reload}
            />
          </div>
          <Chips question={question} onPick={pick} />
          <Sums question={question} sums={sums} onPick={pick} />
          <div class="board">
            {byDay}
            <Listing question={question} rows={rows} total={knownTotal} onPick={pick} />
            {hasFacets && facets}
          </div>
        </main>
      </div>
      <footer class="foot">
        <a href="/static/explorer/THIRD_PARTY.txt">Licences</a>
      </footer>
      <p class="unseen" role="status">
        {knownTotal !== null && !total.isWaiting && describe(question, knownTotal)}
      </p>
      {isKeyOpen && <KeyDialog reason={refused?.message ?? null} onChange={reload} onClose={closeKey} />}
    </>
  );
}

/** Returns the outage until one of the answers has arrived: during a retry, it is not known to be over. */
function useOutage(errors: readonly unknown[], isUnanswered: boolean): AskError | undefined {
  const last = useRef<AskError | undefined>(undefined);
  const outage = findOutage(errors);
  if (outage !== undefined || !isUnanswered) {
    last.current = outage;
  }
  return last.current;
}

function Facets({ question, onPick }: ChartProps) {
  return (
    <div class="facets">
      <ByCard question={question} onPick={onPick} />
      <ByCountry question={question} onPick={onPick} />
      <AmountHistogram question={question} onPick={onPick} />
      <Vendors question={question} onPick={onPick} />
    </div>
  );
}

function describe(question: Question, total: number): string {
  const conditions = listConditions({ ...question, days: 90 }).map(({ text }) => text);
  return [
    `${formatCount(total)} ${total === 1 ? "transaction" : "transactions"} ${formatWithin(question.days)}`,
    ...conditions,
  ].join(", ");
}
