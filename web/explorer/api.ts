// Sends requests to the gateway that served the page, and to no other host.
import { buildCredentials } from "./key.ts";

const GRAPHQL = "application/graphql-response+json, application/json";

/** The failure of a request. */
export class AskError extends Error {
  override readonly name = "AskError";

  constructor(
    /** The gateway's message, or the page's own if there was none. */
    message: string,
    /** A code of docs/errors; null if no gateway answered. */
    readonly code: string | null,
    /** The HTTP status; 0 if there was no response. */
    readonly status: number,
    readonly requestId: string | null,
    /** When to try again, in seconds (RFC 9110, section 10.2.3). */
    readonly retryAfter: number | null,
  ) {
    super(message);
  }
}

const TOO_MUCH: ReadonlySet<string | null> = new Set(["DATABASE_TIMEOUT", "REQUEST_TIMEOUT", "TOO_MANY_GROUPS"]);
// The caller is unauthenticated or lacks permission (RFC 9110, section 15.5).
const KEY_WANTED: readonly number[] = [401, 403];
// No response; 429: too many requests; 502 and 503: gateway or database unavailable (RFC 9110, section 15.6).
const OUTAGES: readonly number[] = [0, 429, 502, 503];
// It also has status 502, but a retry cannot repair stored data.
const MALFORMED_DOCUMENT = "MALFORMED_DOCUMENT";
// Used if no Retry-After was given.
const WAIT_SECONDS = 5;

/** Whether a query that reads less could succeed. */
export function isTooMuch(error: unknown): boolean {
  return error instanceof AskError && TOO_MUCH.has(error.code);
}

/** Whether another key could succeed; the page asks the user for it once, for all panels. */
export function isKeyWanted(error: unknown): error is AskError {
  return error instanceof AskError && KEY_WANTED.includes(error.status);
}

/** Returns the first temporary error; the page shows it once, for all panels. */
export function findOutage(errors: readonly unknown[]): AskError | undefined {
  return errors.find(
    (error): error is AskError =>
      error instanceof AskError && OUTAGES.includes(error.status) && error.code !== MALFORMED_DOCUMENT,
  );
}

/** Returns the delay before a retry, in seconds. */
export function getWait(error: AskError): number {
  return error.retryAfter ?? WAIT_SECONDS;
}

type GraphQLError = {
  readonly message: string;
  readonly extensions?: { readonly code?: string; readonly request_id?: string };
};

/**
 * Returns the data of an operation.
 *
 * Throws an AskError if data is missing or incomplete, and what `fetch` throws if `signal` was aborted.
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

/** Returns a REST path's response, with its body unread. Throws an AskError for a problem (RFC 9457). */
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
      return null; // for example a proxy's page: the status is enough
    }
    throw error instanceof TypeError ? new AskError("The response broke off.", null, 0, null, null) : error;
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
