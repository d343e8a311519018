// The table with what belongs to it: export and copy, and the messages shown when it has no rows.
import { useState } from "preact/hooks";

import { findOutage } from "./api.ts";
import { Copy } from "./Copy.tsx";
import { Details } from "./Details.tsx";
import type { Transaction } from "./document.ts";
import { Empty } from "./Empty.tsx";
import { Export } from "./Export.tsx";
import { Failure } from "./Failure.tsx";
import { getTimeZone } from "./format.ts";
import type { Question } from "./question.ts";
import type { Rows } from "./rows.ts";
import { isFieldFault } from "./serverFault.ts";
import { Table } from "./Table.tsx";

type ListingProps = {
  readonly question: Question;
  readonly rows: Rows;
  readonly total: number | null;
  readonly onPick: (change: Partial<Question>) => void;
};

export function Listing({ question, rows, total, onPick }: ListingProps) {
  const [opened, setOpened] = useState<Transaction | null>(null);
  const isFailed = rows.error !== null && findOutage([rows.error]) === undefined;
  // The field shows the reason, and a retry would change nothing.
  const isRefused = isFieldFault(rows.error);
  const isEmpty = rows.question === question && rows.rows.length === 0 && !rows.hasMore;
  return (
    <section class="panel listing" aria-labelledby="listing">
      <header>
        <h2 id="listing">Rows</h2>
        <span class="zone">times in {getTimeZone()}</span>
        <Copy question={question} />
        <Export question={question} />
      </header>
      {isRefused && <p class="failure quiet">The filter is not valid.</p>}
      {isFailed && !isRefused && <Failure error={rows.error} question={question} onRetry={rows.retry} onPick={onPick} />}
      {isEmpty && <Empty question={question} onPick={onPick} />}
      {!isEmpty && !(isFailed && rows.rows.length === 0) && (
        <Table
          question={question}
          rows={rows}
          total={total}
          onOrder={(order) => onPick({ order })}
          onOpen={setOpened}
        />
      )}
      {opened !== null && <Details transaction={opened} onClose={() => setOpened(null)} />}
    </section>
  );
}
