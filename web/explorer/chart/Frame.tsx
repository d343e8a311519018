// What all charts share: the heading, space of the final size, and the states of a missing answer.
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

import { isKeyWanted } from "../api.ts";
import { Failure } from "../Failure.tsx";
import { formatCount } from "../format.ts";
import type { Question } from "../question.ts";
import { isFieldFault } from "../serverFault.ts";
import type { SummaryView } from "./useSummary.ts";
import "./chart.css";

export type ChartProps = {
  readonly question: Question;
  readonly onPick: (change: Partial<Question>) => void;
};

export type Table = { readonly head: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] };

type FrameProps = ChartProps & {
  readonly title: string;
  /** A class of chart.css, which reserves the space. */
  readonly name: string;
  readonly view: SummaryView;
  /** How many transactions the chart shows. */
  readonly total: number;
  /** The same data as a table, for charts that a screen reader cannot read. */
  readonly table?: () => Table;
  readonly note?: string | null;
  readonly children: ComponentChildren;
};

export function Frame(props: FrameProps) {
  const { title, name, view, total, table, note } = props;
  const id = useId();
  const [isTable, setIsTable] = useState(false);
  const omitted = view.summary?.omitted ?? 0;
  const isAsking = view.phase === "asking" || view.phase === "slow";
  const isEmpty = view.summary !== null && total === 0;
  const isShown = view.summary !== null && view.phase !== "failed" && view.phase !== "cancelled";

  return (
    <section class={`chart chart-${name}`} aria-labelledby={id} aria-busy={isAsking}>
      <header class="chart-head">
        <h2 id={id}>{title}</h2>
        {table && isShown && !isEmpty && (
          <button type="button" class="small chart-toggle" aria-pressed={isTable} onClick={() => setIsTable(!isTable)}>
            Table
          </button>
        )}
      </header>
      <div class="chart-body">
        {isShown && isEmpty && <p class="chart-message">No transactions.</p>}
        {isShown && !isEmpty && (isTable && table ? <DataTable {...table()} title={title} /> : props.children)}
        <State {...props} />
      </div>
      {note && <p class="chart-note">{note}</p>}
      {omitted > 0 && (
        <p class="chart-note">{formatCount(omitted)} without a usable amount, currency or date are left out.</p>
      )}
    </section>
  );
}

function State({ view, question, onPick }: FrameProps) {
  switch (view.phase) {
    case "ready":
      return null;
    case "asking":
      return view.summary === null ? <div class="skeleton chart-skeleton" aria-hidden="true" /> : null;
    case "slow":
      // The key makes it a new element: reusing the animated skeleton's element would count as a layout shift.
      return (
        <div key="slow" class="chart-message chart-over" role="status">
          <p>Calculating …</p>
          <button type="button" class="button" onClick={view.cancel}>
            Cancel
          </button>
        </div>
      );
    case "cancelled":
      return <Unanswered text="Cancelled." button="Calculate" onClick={view.retry} />;
    case "failed":
      if (isKeyWanted(view.error)) {
        return <Unanswered text="An API key is required." button="Try again" onClick={view.retry} />;
      }
      // The field shows the reason.
      return isFieldFault(view.error) ? (
        <p class="chart-message">The filter is not valid.</p>
      ) : (
        <Failure error={view.error} onRetry={view.retry} {...{ question, onPick }} />
      );
  }
}

function Unanswered({ text, button, onClick }: { text: string; button: string; onClick: () => void }) {
  return (
    <div class="chart-message">
      <p>{text}</p>
      <button type="button" class="button" onClick={onClick}>
        {button}
      </button>
    </div>
  );
}

function DataTable({ head, rows, title }: Table & { title: string }) {
  return (
    <div class="chart-table" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table>
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([first = "", ...cells]) => (
            <tr key={first}>
              <th scope="row">{first}</th>
              {cells.map((cell, column) => (
                <td key={column}>{typeof cell === "number" ? formatCount(cell) : cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
