// Determines why a subscription has ended and what to do about it. Pure.

export type End =
  /** Reconnect and resume. */
  | { readonly kind: "retry" }
  /** Reconnect without resuming: the gateway no longer knows the event to resume after. */
  | { readonly kind: "forget" }
  | { readonly kind: "refuse"; readonly reason: string };

const PASSING = [
  "DATABASE_UNAVAILABLE",
  "DATABASE_TIMEOUT",
  "OVERLOADED",
  "DRAINING",
  "LIVE_TOO_SLOW",
  "TOO_MANY_REQUESTS",
];
const PLACE_UNKNOWN = "LIVE_EVENT_UNKNOWN";
// Close codes of gateway/websocket.py. After a protocol violation, a retry would repeat it.
const CREDENTIALS_REFUSED = 4403;
const BROKEN_PROTOCOL = [4400, 4401, 4406, 4409, 4429];
const NOT_ACCEPTED = "The gateway does not accept the API key; enter another one.";
const NOT_UNDERSTOOD = "This page does not fit the gateway's version; reload the page.";

/** Classifies an error of graphql-ws: GraphQL errors, a close event, or any other failure of the connection. */
export function judgeEnd(cause: unknown): End {
  if (Array.isArray(cause)) {
    return judgeError(cause[0]);
  }
  if (hasNumber(cause, "code")) {
    if (cause.code === CREDENTIALS_REFUSED) {
      return { kind: "refuse", reason: hasText(cause, "reason") && cause.reason ? cause.reason : NOT_ACCEPTED };
    }
    if (BROKEN_PROTOCOL.includes(cause.code)) {
      return { kind: "refuse", reason: NOT_UNDERSTOOD };
    }
  }
  return { kind: "retry" };
}

function judgeError(error: unknown): End {
  const extensions = typeof error === "object" && error !== null && "extensions" in error ? error.extensions : null;
  const code = hasText(extensions, "code") ? extensions.code : "";
  if (code === PLACE_UNKNOWN) {
    return { kind: "forget" };
  }
  if (PASSING.includes(code)) {
    return { kind: "retry" };
  }
  return { kind: "refuse", reason: hasText(error, "message") ? error.message : NOT_UNDERSTOOD };
}

function hasText<Name extends string>(value: unknown, name: Name): value is Record<Name, string> {
  return typeof value === "object" && value !== null && name in value && typeof Reflect.get(value, name) === "string";
}

function hasNumber<Name extends string>(value: unknown, name: Name): value is Record<Name, number> {
  return typeof value === "object" && value !== null && name in value && typeof Reflect.get(value, name) === "number";
}
