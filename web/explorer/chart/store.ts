// Summaries that charts share: a common need is requested once, and its answer is kept as long as a chart shows it.
import type { Need, Summary } from "./need.ts";

export type Answer = {
  /** The latest summary, even while a new one is being requested; null if there is none yet. */
  readonly summary: Summary | null;
  readonly phase: "asking" | "slow" | "ready" | "failed" | "cancelled";
  /** The reason of a failure. */
  readonly error: unknown;
};

export type AskSummary = (need: Need, signal: AbortSignal) => Promise<Summary>;

type Entry = {
  readonly need: Need;
  readonly listeners: Set<() => void>;
  answer: Answer;
  controller: AbortController | null;
  /** No refresh before this time, in ms since the epoch. */
  restsUntil: number;
  later: ReturnType<typeof setTimeout> | undefined;
};

const SLOW_MS = 2_000;
// Each reads all transactions of its filter: more at a time would only slow each other down, and the table too.
const MOST_AT_A_TIME = 2;
// With constant refreshes, a summary keeps the database busy for at most a tenth of the time, however long it takes.
const REST_FACTOR = 9;
const BUSY_MS = 1_000;

export class AnswerStore {
  readonly #ask: AskSummary;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(ask: AskSummary) {
    this.#ask = ask;
  }

  /** Returns the current answer to a need; it only changes while the need has a subscriber. */
  get(need: Need): Answer {
    return this.#entries.get(buildKey(need))?.answer ?? ASKING;
  }

  /** Requests a need unless another subscriber has, and reports each change until the returned function is called. */
  subscribe(need: Need, listener: () => void): () => void {
    const key = buildKey(need);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { need, listeners: new Set(), answer: ASKING, controller: null, restsUntil: 0, later: undefined };
      this.#entries.set(key, entry);
      void this.#run(entry);
    }
    const { listeners } = entry;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) {
        this.#entries.delete(key);
        clearTimeout(entry.later);
        entry.controller?.abort();
      }
    };
  }

  /** Aborts the request for a need. */
  cancel(need: Need): void {
    const entry = this.#entries.get(buildKey(need));
    if (entry !== undefined && entry.controller !== null) {
      entry.controller.abort();
      entry.controller = null;
      update(entry, { ...entry.answer, phase: "cancelled" });
    }
  }

  /** Requests a need again unless a request is running; the phase only becomes `asking` if it was not `ready`. */
  again(need: Need): void {
    const entry = this.#entries.get(buildKey(need));
    if (entry !== undefined && entry.controller === null) {
      if (entry.answer.phase !== "ready") {
        update(entry, { ...entry.answer, phase: "asking", error: null });
      }
      void this.#run(entry);
    }
  }

  /** Requests all needs again without changing their phase, if necessary after a pause; on failure, the answer stays. */
  refresh(): void {
    for (const entry of this.#entries.values()) {
      this.#refreshLater(entry);
    }
  }

  #refreshLater(entry: Entry): void {
    // A running request may have started before the change that this refresh is for.
    const wait = entry.controller === null ? Math.max(0, entry.restsUntil - Date.now()) : BUSY_MS;
    entry.later ??= setTimeout(() => {
      entry.later = undefined;
      if (entry.controller !== null || Date.now() < entry.restsUntil) {
        this.#refreshLater(entry);
      } else if (entry.answer.phase === "ready") {
        void this.#run(entry);
      }
    }, wait);
  }

  async #run(entry: Entry): Promise<void> {
    const controller = new AbortController();
    entry.controller = controller;
    const start = Date.now();
    const timer = setTimeout(() => {
      if (entry.answer.phase === "asking") {
        update(entry, { ...entry.answer, phase: "slow" });
      }
    }, SLOW_MS);
    let answer: Answer;
    try {
      const summary = await this.#askInTurn(entry.need, controller.signal);
      answer = { summary, phase: "ready", error: null };
    } catch (error) {
      const isRefresh = entry.answer.phase === "ready";
      answer = isRefresh ? entry.answer : { ...entry.answer, phase: "failed", error };
    } finally {
      clearTimeout(timer);
      entry.restsUntil = Date.now() + REST_FACTOR * (Date.now() - start);
    }
    if (entry.controller === controller) {
      entry.controller = null;
      if (!controller.signal.aborted) {
        update(entry, answer);
      }
    }
  }

  async #askInTurn(need: Need, signal: AbortSignal): Promise<Summary> {
    if (this.#running === MOST_AT_A_TIME) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      signal.throwIfAborted();
      return await this.#ask(need, signal);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#running--;
      } else {
        next();
      }
    }
  }
}

const ASKING: Answer = { summary: null, phase: "asking", error: null };

function buildKey({ document, variables }: Need): string {
  return JSON.stringify([document, variables]);
}

function update(entry: Entry, answer: Answer): void {
  entry.answer = answer;
  for (const listener of [...entry.listeners]) {
    listener();
  }
}
