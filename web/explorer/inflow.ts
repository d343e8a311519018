// New transactions on their way from the socket to the table: in batches, and never more than a table can take.
import type { Transaction } from "./document.ts";

export type Batch = {
  /** Newest first. */
  readonly rows: readonly Transaction[];
  /** How many older ones came with them and are not kept. */
  readonly skipped: number;
};

// At a quarter of a second each that is more than a person can follow, and little to keep while a tab sleeps.
const MOST = 200;

export class Inflow {
  #rows: Transaction[] = [];
  #skipped = 0;

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  add(row: Transaction): void {
    this.#rows.push(row);
    // Cut now and then, not for each row.
    if (this.#rows.length >= 2 * MOST) {
      this.#cut();
    }
  }

  /** Gives what has come since the last time. */
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
