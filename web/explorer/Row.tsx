// One row of the table, positioned by its number, because most rows are not in the DOM.
import { Component } from "preact";

import { formatCountry } from "./country.ts";
import type { Transaction } from "./document.ts";
import { formatAmount, formatCardNumber, formatDate } from "./format.ts";

const DATE: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "short" };

/** The heading is row 1 (WAI-ARIA 1.2, aria-rowindex). */
export const FIRST_ROW_INDEX = 2;

type RowProps = {
  readonly index: number;
  readonly height: number;
  /** Undefined until its page has arrived. */
  readonly transaction: Transaction | undefined;
  readonly isActive: boolean;
  readonly isFresh: boolean;
};

/** Scrolling renders the table at each frame: unchanged rows must cost nothing. */
export class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const { index, height, transaction, isActive, isFresh } = this.props;
    return (
      next.index !== index ||
      next.height !== height ||
      next.transaction !== transaction ||
      next.isActive !== isActive ||
      next.isFresh !== isFresh
    );
  }

  override render() {
    return <Drawn {...this.props} />;
  }
}

function Drawn({ index, height, transaction, isActive, isFresh }: RowProps) {
  const style = { transform: `translateY(${index * height}px)` };
  if (transaction === undefined) {
    return (
      <div class="row" style={style} aria-hidden="true">
        <span class="skeleton" />
      </div>
    );
  }
  const { date, amount, currency, vendor, cardType, cardNumber, countryOrigin } = transaction;
  return (
    <div
      class={`row${isActive ? " active" : ""}${isFresh ? " fresh" : ""}`}
      style={style}
      role="row"
      id={`row-${index}`}
      aria-rowindex={index + FIRST_ROW_INDEX}
      aria-selected={isActive}
    >
      <span role="gridcell" class="cell-date">
        <time dateTime={date}>{formatDate(date, DATE)}</time>
      </span>
      <span role="gridcell" class="cell-amount number">
        {formatAmount(amount, currency)}
      </span>
      <span role="gridcell" class="cell-vendor">
        {vendor ?? "–"}
      </span>
      <span role="gridcell" class="cell-card">
        {cardType}
      </span>
      <span role="gridcell" class="cell-number number">
        {formatCardNumber(cardNumber)}
      </span>
      <span role="gridcell" class="cell-country">
        {formatCountry(countryOrigin)}
      </span>
    </div>
  );
}
