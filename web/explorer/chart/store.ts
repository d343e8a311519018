// Answers that charts share: what two of them need alike is asked once, and kept as long as one of them shows it.
import type { Need, Summary } from "./need.ts";

export type Answer = {
  /** The newest, be it older than a question that is being asked again; null while there is none. */
  readonly summary: Summary | null;
  readonly phase: "asking" | "slow" | "ready" | "failed" | "cancelled";
  /** Why it failed. */
  readonly error: unknown;
};

export type AskSummary = (need: Need, signal: AbortSignal) => Promise<Summary>;

type Entry = {
  readonly need: Need;
  readonly listeners: Set<() => void>;
  answer: Answer;
  controller: AbortController | null;
  /** Before that it is not refreshed. */
  restsUntil: number;
  later: ReturnType<typeof setTimeout> | undefined;
};

const SLOW_MS = 2_000;
// Each reads all transactions of its filter: more at a time would only slow down one another, and the table.
const MOST_AT_A_TIME = 2;
// What is refreshed again and again keeps the database busy for a tenth of the time, however much there is to add up.
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

  /** Gives what is known of a need; it changes only for those who have subscribed. */
  get(need: Need): Answer {
    return this.#entries.get(buildKey(need))?.answer ?? ASKING;
  }

  /** Asks, unless another does, and tells of each change, until the function that it gives is called. */
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

  /** Stops asking. */
  cancel(need: Need): void {
    const entry = this.#entries.get(buildKey(need));
    if (entry !== undefined && entry.controller !== null) {
      entry.controller.abort();
      entry.controller = null;
      update(entry, { ...entry.answer, phase: "cancelled" });
    }
  }

  /** Asks again, unless that is being done; after a failure it says so, and else what is shown stays meanwhile. */
  again(need: Need): void {
    const entry = this.#entries.get(buildKey(need));
    if (entry !== undefined && entry.controller === null) {
      if (entry.answer.phase !== "ready") {
        update(entry, { ...entry.answer, phase: "asking", error: null });
      }
      void this.#run(entry);
    }
  }

  /** Asks all again in silence, if need be after a rest; who fails keeps the answer that it had. */
  refresh(): void {
    for (const entry of this.#entries.values()) {
      this.#refreshLater(entry);
    }
  }

  #refreshLater(entry: Entry): void {
    // What is being asked may not know yet of what the refresh is for.
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
