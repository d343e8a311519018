// Asks the gateway that served the page, and no other host.
import { buildCredentials } from "./key.ts";

const GRAPHQL = "application/graphql-response+json, application/json";

/** Why a question has no answer. */
export class AskError extends Error {
  override readonly name = "AskError";

  constructor(
    /** The gateway's own words, or the page's where it said nothing. */
    message: string,
    /** One of docs/errors, null where no gateway answered. */
    readonly code: string | null,
    /** HTTP's, 0 where nothing was answered. */
    readonly status: number,
    readonly requestId: string | null,
    /** When to try again, in seconds (RFC 9110, section 10.2.3). */
    readonly retryAfter: number | null,
  ) {
    super(message);
  }
}

const TOO_MUCH: ReadonlySet<string | null> = new Set(["DATABASE_TIMEOUT", "REQUEST_TIMEOUT", "TOO_MANY_GROUPS"]);
// Who asks is not known, or may not (RFC 9110, section 15.5).
const KEY_WANTED: readonly number[] = [401, 403];
// Nothing was answered; 429, too many requests; 502 and 503, a gateway or a database away (RFC 9110, section 15.6).
const OUTAGES: readonly number[] = [0, 429, 502, 503];
// It answers 502 too, but no time mends what is stored.
const MALFORMED_DOCUMENT = "MALFORMED_DOCUMENT";
// Where no gateway said when to come back.
const WAIT_SECONDS = 5;

/** Whether a question with less to read could be answered. */
export function isTooMuch(error: unknown): boolean {
  return error instanceof AskError && TOO_MUCH.has(error.code);
}

/** Whether another key could be answered; the page asks for it once, for all its parts. */
export function isKeyWanted(error: unknown): error is AskError {
  return error instanceof AskError && KEY_WANTED.includes(error.status);
}

/** Gives the first error that time may mend; the page tells of it once, for all its parts. */
export function findOutage(errors: readonly unknown[]): AskError | undefined {
  return errors.find(
    (error): error is AskError =>
      error instanceof AskError && OUTAGES.includes(error.status) && error.code !== MALFORMED_DOCUMENT,
  );
}

/** Gives after how many seconds to try again. */
export function getWait(error: AskError): number {
  return error.retryAfter ?? WAIT_SECONDS;
}

type GraphQLError = {
  readonly message: string;
  readonly extensions?: { readonly code?: string; readonly request_id?: string };
};

/**
 * Gives the data of an operation.
 *
 * Throws an AskError where there is none, or not all of it; and what `fetch` throws when `signal` was aborted.
 */
export async function ask<Result, Variables extends object>(
  document: string,
  variables: Variables,
  signal: AbortSignal,
): Promise<Result> {
  const response = await send("/graphql", signal, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: GRAPHQL },
    body: JSON.stringify({ query: document, variables }),
  });
  const answer = await readJson<{ data?: Result; errors?: readonly GraphQLError[] }>(response);
  const error = answer?.errors?.[0];
  if (error !== undefined || answer?.data === undefined || answer.data === null) {
    throw buildError(response, error?.message, error?.extensions?.code, error?.extensions?.request_id);
  }
  return answer.data;
}

/** Gives a REST path's answer, unread. Throws an AskError for a problem (RFC 9457). */
export async function get(path: string, signal: AbortSignal): Promise<Response> {
  const response = await send(path, signal, {});
  if (!response.ok) {
    const problem = await readJson<{ detail?: string; code?: string; request_id?: string }>(response);
    throw buildError(response, problem?.detail, problem?.code, problem?.request_id);
  }
  return response;
}

async function send(path: string, signal: AbortSignal, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, headers: { ...init.headers, ...buildCredentials() }, signal });
  } catch (error) {
    signal.throwIfAborted();
    const message = navigator.onLine ? "The gateway cannot be reached." : "This device is offline.";
    throw new AskError(message, null, 0, null, null);
  }
}

async function readJson<Body>(response: Response): Promise<Body | null> {
  try {
    return (await response.json()) as Body;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return null; // a proxy's page, say: the status tells enough
    }
    throw error instanceof TypeError ? new AskError("The answer broke off.", null, 0, null, null) : error;
  }
}

function buildError(response: Response, message?: string, code?: string, requestId?: string): AskError {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return new AskError(
    message ?? `The gateway answered ${response.status} ${response.statusText} without saying why.`,
    code ?? null,
    response.status,
    requestId ?? response.headers.get("X-Request-ID"),
    Number.isFinite(seconds) ? seconds : null,
  );
}
