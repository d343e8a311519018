// Buffers new transactions between the socket and the table: in batches, and never more than the table can take.
import type { Transaction } from "./document.ts";

export type Batch = {
  /** Newest first. */
  readonly rows: readonly Transaction[];
  /** How many older ones arrived with them and were dropped. */
  readonly skipped: number;
};

// Per quarter of a second, this is more than a person can follow; and little to keep while the tab sleeps.
const MOST = 200;

export class Inflow {
  #rows: Transaction[] = [];
  #skipped = 0;

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  add(row: Transaction): void {
    this.#rows.push(row);
    // Trimmed occasionally, not for each row.
    if (this.#rows.length >= 2 * MOST) {
      this.#cut();
    }
  }

  /** Returns what has arrived since the last call. */
  take(): Batch {
    this.#cut();
    const batch = { rows: this.#rows.reverse(), skipped: this.#skipped };
    this.#rows = [];
    this.#skipped = 0;
    return batch;
  }

  #cut(): void {
    const excess = Math.max(0, this.#rows.length - MOST);
    this.#rows.splice(0, excess);
    this.#skipped += excess;
  }
}
