// The table's heading: its columns, two of which can sort it.
import type { Order } from "./question.ts";

type HeadingProps = { readonly order: Order; readonly onOrder: (order: Order) => void };

export function Heading({ order, onOrder }: HeadingProps) {
  return (
    <div class="heading" role="rowgroup">
      <div class="row" role="row" aria-rowindex={1}>
        <Ordered name="Date" by="DATE" className="cell-date" order={order} onOrder={onOrder} />
        <Ordered name="Amount" by="AMOUNT" className="cell-amount" order={order} onOrder={onOrder} />
        <span role="columnheader" class="cell-vendor">
          Vendor
        </span>
        <span role="columnheader" class="cell-card">
          Card
        </span>
        <span role="columnheader" class="cell-number">
          Number
        </span>
        <span role="columnheader" class="cell-country">
          Country
        </span>
      </div>
    </div>
  );
}

type OrderedProps = HeadingProps & {
  readonly name: string;
  readonly by: "DATE" | "AMOUNT";
  readonly className: string;
};

/** The first click sorts by largest or newest first, the second in reverse. */
function Ordered({ name, by, className, order, onOrder }: OrderedProps) {
  const direction = order === `${by}_DESC` ? "descending" : order === `${by}_ASC` ? "ascending" : "none";
  return (
    <span role="columnheader" class={className} aria-sort={direction}>
      <button
        type="button"
        class="sort"
        onClick={() => onOrder(direction === "descending" ? `${by}_ASC` : `${by}_DESC`)}
      >
        {name}
        <span class="arrow" aria-hidden="true">
          {direction === "ascending" ? "↑" : direction === "descending" ? "↓" : "↕"}
        </span>
      </button>
    </span>
  );
}
