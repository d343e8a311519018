// The rows of the query: a grid (WAI-ARIA 1.2) with only the visible rows in the DOM. Keys move the active row, which
// aria-activedescendant names while the focus stays on the grid.
import { useEffect, useRef, useState } from "preact/hooks";

import { useAnchor } from "./anchor.ts";
import type { Transaction } from "./document.ts";
import { formatCount } from "./format.ts";
import { Heading } from "./Heading.tsx";
import { isSameQuestion, type Order, type Question } from "./question.ts";
import { FIRST_ROW_INDEX, Row } from "./Row.tsx";
import type { Rows } from "./rows.ts";
import { buildRowWindow, limitRows, moveRow, revealRow } from "./rowWindow.ts";
import { useView } from "./view.ts";

/** In CSS pixels, as in theme.css. */
const HEADING_HEIGHT = 40;
const ROW_HEIGHT = 36;
const NARROW_ROW_HEIGHT = 64;
/** Widths in CSS pixels below which a column is hidden or a row takes two lines; screen readers get all columns. */
const MEDIUM = 760;
const NARROW = 600;

type TableProps = {
  readonly question: Question;
  readonly rows: Rows;
  /** The total number of rows; null while unknown. */
  readonly total: number | null;
  readonly onOrder: (order: Order) => void;
  readonly onOpen: (transaction: Transaction) => void;
};

export function Table({ question, rows, total, onOrder, onOpen }: TableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, onScroll] = useView(scroller);
  const [active, setActive] = useState<number | null>(null);

  const isNarrow = view.width < NARROW;
  const size = isNarrow ? "narrow" : view.width < MEDIUM ? "medium" : "wide";
  const height = isNarrow ? NARROW_ROW_HEIGHT : ROW_HEIGHT;
  const loaded = rows.rows.length;
  const all = rows.hasMore ? Math.max(loaded + 1, total ?? 0) : loaded;
  const count = limitRows(all, height);
  const seenHeight = Math.max(0, view.height - HEADING_HEIGHT);
  const seen = buildRowWindow(view.top, seenHeight, height, count);
  const { want } = rows;

  useEffect(() => want(seen.end), [want, seen.end]);
  useAnchor(scroller, rows, view, height, (shift) =>
    setActive(shift === null || active === null ? null : active + shift),
  );

  const open = (index: number): void => {
    const transaction = rows.rows[index];
    setActive(index);
    if (transaction !== undefined) {
      onOpen(transaction);
    }
  };
  const onClick = (event: MouseEvent): void => {
    const row = event.target instanceof Element ? event.target.closest("[aria-rowindex]") : null;
    if (row !== null) {
      open(Number(row.getAttribute("aria-rowindex")) - FIRST_ROW_INDEX);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    if (event.key === "Enter" && active !== null) {
      open(active);
      return;
    }
    const next = moveRow(event.key, active ?? -1, count, seenHeight, height);
    if (next !== null) {
      event.preventDefault();
      setActive(next);
      scroller.current?.scrollTo(0, revealRow(next, view.top, seenHeight, height));
    }
  };

  return (
    <div class={`scroller ${size}`} ref={scroller} onScroll={onScroll}>
      <div
        class="grid"
        role="grid"
        tabIndex={0}
        aria-label="Transactions"
        aria-rowcount={all + 1}
        aria-busy={rows.question !== question && rows.error === null}
        aria-activedescendant={active !== null && active < loaded ? `row-${active}` : undefined}
        onKeyDown={onKeyDown}
        onFocus={(event) => event.target === event.currentTarget && setActive(active ?? Math.ceil(view.top / height))}
      >
        <Heading order={question.order} onOrder={onOrder} />
        <div
          class={rows.question === null || isSameQuestion(rows.question, question) ? "body" : "body pale"}
          role="rowgroup"
          onClick={onClick}
          style={{ height: `${Math.max(count * height, seenHeight)}px` }}
        >
          {Array.from({ length: seen.end - seen.first }, (_, offset) => seen.first + offset).map((index) => (
            <Row
              key={index}
              index={index}
              height={height}
              transaction={rows.rows[index]}
              isActive={index === active}
              isFresh={rows.isFresh(rows.rows[index]?.id ?? "")}
            />
          ))}
        </div>
      </div>
      {rows.hasMore && seen.end > loaded && loaded > 0 && (
        <p class="progress" aria-hidden="true">
          Loading: {formatCount(loaded)} of {formatCount(seen.end)} rows
        </p>
      )}
      {count < all && (
        <p class="cut">
          A browser shows no more than {formatCount(count)} rows; ask for fewer, or export all {formatCount(all)}.
        </p>
      )}
    </div>
  );
}
