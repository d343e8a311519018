// The rows of a question, page after page by their cursors, as far as they are wanted. It knows no DOM and no network.
import type { Transaction } from "./document.ts";

export type Page = { readonly rows: readonly Transaction[]; readonly hasMore: boolean; readonly after: string | null };

/** Loads at most `first` rows after a cursor; null is the start. */
export type LoadPage = (first: number, after: string | null, signal: AbortSignal) => Promise<Page>;

const FEWEST = 200;
/** Who drags the scroll bar far down waits for few round trips. */
const MOST = 5_000;
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
