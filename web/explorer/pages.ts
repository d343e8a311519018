// The rows of a question, page after page by their cursors, as far as they are wanted. It knows no DOM and no network.
import type { Transaction } from "./document.ts";

export type Page = { readonly rows: readonly Transaction[]; readonly hasMore: boolean; readonly after: string | null };

/** Loads at most `first` rows after a cursor; null is the start. */
export type LoadPage = (first: number, after: string | null, signal: AbortSignal) => Promise<Page>;

const FEWEST = 200;
/** As many as the gateway gives: who drags the scroll bar far down waits for few round trips. */
const MOST = 10_000;
/** Rows that are loaded before a scroll gets to them. */
const AHEAD = 200;

export class RowPages {
  readonly rows: Transaction[] = [];
  hasMore = true;
  error: unknown = null;
  #wanted = 0;
  #after: string | null = null;
  #isLoading = false;
  readonly #ending = new AbortController();

  /** `onChange` is called after each page, and when one has failed. */
  constructor(
    readonly load: LoadPage,
    readonly onChange: () => void,
  ) {}

  /** Says up to which row the table is seen; only what was wanted last is loaded. */
  want(end: number): void {
    this.#wanted = end + AHEAD;
    void this.#fill();
  }

  /** Puts rows that came by another way in their places, once; those of pages to come are left to these. */
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

  /** Tries again after a failure. */
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

/** Gives the first place whose row does not stand before this one. */
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
