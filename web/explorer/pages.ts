// The rows of a query, loaded page by page with cursors, as far as needed. It knows no DOM and no network.
import type { Transaction } from "./document.ts";

export type Page = { readonly rows: readonly Transaction[]; readonly hasMore: boolean; readonly after: string | null };

/** Loads at most `first` rows after a cursor, or from the start if it is null. */
export type LoadPage = (first: number, after: string | null, signal: AbortSignal) => Promise<Page>;

const FEWEST = 200;
/** The gateway's maximum, so that dragging the scroll bar far down takes few round trips. */
const MOST = 10_000;
/** Rows that are loaded before scrolling reaches them. */
const AHEAD = 200;

export class RowPages {
  readonly rows: Transaction[] = [];
  hasMore = true;
  error: unknown = null;
  #wanted = 0;
  #after: string | null = null;
  #isLoading = false;
  readonly #ending = new AbortController();

  /** `onChange` is called after each page, after each failure and after added rows. */
  constructor(
    readonly load: LoadPage,
    readonly onChange: () => void,
  ) {}

  /** Requests the rows up to `end`, which the table shows; only the latest call counts. */
  want(end: number): void {
    this.#wanted = end + AHEAD;
    void this.#fill();
  }

  /** Inserts rows from another source in order, without duplicates; rows beyond the loaded pages are left out. */
  add(rows: readonly Transaction[], compare: (one: Transaction, other: Transaction) => number): void {
    for (const row of rows) {
      const place = findPlace(this.rows, row, compare);
      const isKnown = this.rows[place]?.id === row.id;
      if (!isKnown && (place < this.rows.length || !this.hasMore)) {
        this.rows.splice(place, 0, row);
      }
    }
    this.onChange();
  }

  /** Retries after a failure. */
  retry(): void {
    this.error = null;
    void this.#fill();
  }

  close(): void {
    this.#ending.abort();
  }

  async #fill(): Promise<void> {
    if (this.#isLoading) {
      return;
    }
    this.#isLoading = true;
    while (this.hasMore && this.error === null && this.rows.length < this.#wanted && !this.#ending.signal.aborted) {
      await this.#loadNext();
    }
    this.#isLoading = false;
  }

  async #loadNext(): Promise<void> {
    const first = Math.min(MOST, Math.max(FEWEST, this.#wanted - this.rows.length));
    try {
      const page = await this.load(first, this.#after, this.#ending.signal);
      for (const row of page.rows) {
        this.rows.push(row);
      }
      this.hasMore = page.hasMore;
      this.#after = page.after;
    } catch (error) {
      if (this.#ending.signal.aborted) {
        return;
      }
      this.error = error;
    }
    this.onChange();
  }
}

/** Returns the first index whose row does not come before this one. */
function findPlace<Row>(rows: readonly Row[], row: Row, compare: (one: Row, other: Row) => number): number {
  let first = 0;
  let end = rows.length;
  while (first < end) {
    const middle = (first + end) >>> 1;
    const there = rows[middle];
    if (there !== undefined && compare(there, row) < 0) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  return first;
}
