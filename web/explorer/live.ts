// Follows the transactions of a filter as they are added (graphql-transport-ws), across lost connections and sleeping
// tabs. It shows nothing; what it hands over is Live.tsx's to place.
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
  /** At most four times a second. */
  readonly onBatch: (batch: Batch) => void;
  /** Something may have been missed: what is shown is to be asked for anew. */
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
// A socket without either for so long is dead, though no one has said so.
const PING_MS = 20_000;
const PONG_MS = 10_000;
// A gateway does not say from when on it follows; what came before is asked for once it surely does.
const SETTLE_MS = 1_000;
// Who looks away for a moment misses nothing; a tab that is forgotten costs the gateway nothing.
const HIDDEN_MS = 300_000;

/** Follows until `close`; an instance is for one question. */
export class LiveFeed {
  // As it is sent: when graphql-ws connects again by itself, it sends what is written here then.
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
    // A first visit needs none of it, and no page its server, which brings all of GraphQL's reference implementation.
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
      // Which failure deserves another try is judged in one place.
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
      return; // it was given up meanwhile
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
      return; // it was ended here
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
    // Spread, so that not all pages come back to a gateway in the same moment.
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

  /** Does not wait for the next try where there is a reason to believe in it. */
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
