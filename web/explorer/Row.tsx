// One row of the table. It is placed by its number, for most rows of the table are not in the document.
import { formatCountry } from "./country.ts";
import type { Transaction } from "./document.ts";
import { formatAmount, formatCardNumber, formatDate } from "./format.ts";

const DATE: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "short" };

type RowProps = {
  readonly index: number;
  readonly height: number;
  /** Undefined until its page has come. */
  readonly transaction: Transaction | undefined;
  readonly isActive: boolean;
  readonly isFresh: boolean;
  readonly onOpen: (index: number) => void;
};

export function Row({ index, height, transaction, isActive, isFresh, onOpen }: RowProps) {
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
      aria-rowindex={index + 2}
      aria-selected={isActive}
      onClick={() => onOpen(index)}
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
