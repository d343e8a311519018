// Follows the transactions of a filter as they are added (graphql-transport-ws), across lost connections and sleeping
// tabs. It renders nothing; Live.tsx receives what it delivers.
import type { Client, ClientOptions } from "graphql-ws/client";

import type { Transaction } from "./document.ts";
import { Inflow, type Batch } from "./inflow.ts";
import { buildCredentials } from "./key.ts";
import { judgeEnd, type End } from "./liveEnd.ts";
import { buildFilter, type Question, type TransactionFilter } from "./question.ts";

export type LiveState =
  | { readonly phase: "connecting" | "live" | "reconnecting" | "paused" }
  | { readonly phase: "refused"; readonly reason: string };

export type LiveListener = {
  readonly onState: (state: LiveState) => void;
  /** Called at most four times a second. */
  readonly onBatch: (batch: Batch) => void;
  /** Called when transactions may have been missed: everything shown must be loaded again. */
  readonly onGap: () => void;
};

type Result = {
  readonly data?: { readonly transactionAdded?: Transaction } | null;
  readonly errors?: readonly unknown[];
  readonly extensions?: { readonly eventId?: string };
};

const TRANSACTION_ADDED = /* GraphQL */ `
  subscription TransactionAdded($filter: TransactionFilter, $after: String) {
    transactionAdded(filter: $filter, after: $after) {
      id
      date
      currency
      amount
      vendor
      address
      cardType
      cardNumber
      countryOrigin
    }
  }
`;

const HAND_OVER_MS = 250;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
// A socket that does not answer a ping in time is dead, even without a close.
const PING_MS = 20_000;
const PONG_MS = 10_000;
// The gateway does not say when a subscription starts; once it surely has, the page loads what was added before.
const SETTLE_MS = 1_000;
// A tab that is hidden briefly misses nothing; a forgotten tab must not cost the gateway anything.
const HIDDEN_MS = 300_000;

/** Follows one query's transactions until `close`. */
export class LiveFeed {
  // Changed in place: graphql-ws sends the current values when it connects.
  readonly #variables: { readonly filter: TransactionFilter; after: string | null };
  readonly #listener: LiveListener;
  readonly #inflow = new Inflow();
  #client: Client | null = null;
  #failures = 0;
  #isClosed = false;
  #handOver: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #pong: ReturnType<typeof setTimeout> | undefined;
  #settle: ReturnType<typeof setTimeout> | undefined;

  constructor(question: Question, listener: LiveListener) {
    this.#variables = { filter: buildFilter(question), after: null };
    this.#listener = listener;
    document.addEventListener("visibilitychange", this.#watchTab);
    addEventListener("online", this.#hurry);
    void this.#open();
  }

  close(): void {
    this.#isClosed = true;
    document.removeEventListener("visibilitychange", this.#watchTab);
    removeEventListener("online", this.#hurry);
    clearTimeout(this.#pause);
    clearTimeout(this.#handOver);
    this.#disconnect();
  }

  async #open(): Promise<void> {
    this.#tell({ phase: this.#failures > 0 || this.#variables.after !== null ? "reconnecting" : "connecting" });
    // Imported on demand, because a first visit does not need it; and only the client, because graphql-ws's server part
    // would import all of graphql-js.
    const library = await import("graphql-ws/client").catch(() => null);
    if (this.#isClosed || this.#client !== null) {
      return;
    }
    if (library === null) {
      this.#retryLater();
      return;
    }
    const client = library.createClient(this.#buildOptions());
    this.#client = client;
    client.subscribe<Result["data"], Result["extensions"]>(
      { query: TRANSACTION_ADDED, variables: this.#variables },
      {
        next: (result) => this.#take(result as Result, client),
        error: (cause) => this.#end(judgeEnd(cause), client),
        complete: () => this.#end({ kind: "retry" }, client),
      },
    );
  }

  #buildOptions(): ClientOptions {
    const url = new URL("/graphql", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    return {
      url: url.href,
      connectionParams: () => ({ ...buildCredentials() }),
      // judgeEnd alone decides which failures to retry.
      retryAttempts: 0,
      keepAlive: PING_MS,
      on: {
        connected: () => this.#noteConnected(),
        ping: (isReceived) => {
          if (!isReceived) {
            this.#pong = setTimeout(() => this.#client?.terminate(), PONG_MS);
          }
        },
        pong: (isReceived) => {
          if (isReceived) {
            clearTimeout(this.#pong);
            this.#failures = 0;
          }
        },
      },
    };
  }

  #noteConnected(): void {
    if (this.#client === null) {
      return; // disconnected meanwhile
    }
    this.#tell({ phase: "live" });
    if (this.#variables.after === null) {
      this.#settle = setTimeout(() => this.#listener.onGap(), SETTLE_MS);
    }
  }

  #take(result: Result, client: Client): void {
    if (client !== this.#client) {
      return;
    }
    if (result.errors !== undefined) {
      this.#end(judgeEnd(result.errors), client);
      return;
    }
    this.#failures = 0;
    this.#variables.after = result.extensions?.eventId ?? this.#variables.after;
    if (result.data?.transactionAdded !== undefined) {
      this.#inflow.add(result.data.transactionAdded);
      this.#handOver ??= setTimeout(() => {
        this.#handOver = undefined;
        this.#listener.onBatch(this.#inflow.take());
      }, HAND_OVER_MS);
    }
  }

  #end(end: End, client: Client): void {
    if (client !== this.#client) {
      return; // disconnected by this page
    }
    this.#disconnect();
    if (end.kind === "refuse") {
      this.#tell({ phase: "refused", reason: end.reason });
      return;
    }
    if (end.kind === "forget") {
      this.#variables.after = null;
    }
    this.#retryLater();
  }

  #retryLater(): void {
    this.#failures++;
    this.#tell({ phase: "reconnecting" });
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1));
    // Jitter, so that not all pages reconnect to a gateway at the same moment.
    this.#again = setTimeout(() => void this.#open(), wait * (0.5 + Math.random() / 2));
  }

  #disconnect(): void {
    clearTimeout(this.#again);
    clearTimeout(this.#pong);
    clearTimeout(this.#settle);
    const client = this.#client;
    this.#client = null;
    void client?.dispose();
  }

  readonly #watchTab = (): void => {
    clearTimeout(this.#pause);
    if (document.hidden) {
      this.#pause = setTimeout(() => {
        this.#disconnect();
        this.#tell({ phase: "paused" });
      }, HIDDEN_MS);
    } else {
      this.#hurry();
    }
  };

  /** Retries at once if there is a reason to expect success. */
  readonly #hurry = (): void => {
    if (this.#client === null && this.#state !== "refused") {
      clearTimeout(this.#again);
      void this.#open();
    }
  };

  #state: LiveState["phase"] = "connecting";

  #tell(state: LiveState): void {
    this.#state = state.phase;
    if (!this.#isClosed) {
      this.#listener.onState(state);
    }
  }
}
