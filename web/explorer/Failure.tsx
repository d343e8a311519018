// Why a panel has no answer: the gateway's message, the error code with a link to its page, and the request id for the
// operator.
import { useEffect } from "preact/hooks";

import { AskError, findOutage, getWait, isTooMuch } from "./api.ts";
import type { Question } from "./question.ts";

type FailureProps = {
  readonly error: unknown;
  readonly question: Question;
  readonly onRetry: () => void;
  readonly onPick: (change: Partial<Question>) => void;
};

export function Failure({ error, question, onRetry, onPick }: FailureProps) {
  const outage = findOutage([error]);
  if (outage !== undefined) {
    return <Away error={outage} onRetry={onRetry} />;
  }
  const fewer = isTooMuch(error) ? findFewerDays(question.days) : null;
  return (
    <div class="failure" role="alert">
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {error instanceof AskError && <FailureOrigin error={error} />}
      <p class="actions">
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
        {fewer !== null && (
          <button type="button" class="button" onClick={() => onPick({ days: fewer })}>
            Show {fewer} days
          </button>
        )}
      </p>
    </div>
  );
}

/** Retries temporary failures automatically: if the rest of the page is complete, nothing else would cause a retry. */
function Away({ error, onRetry }: { readonly error: AskError; readonly onRetry: () => void }) {
  useEffect(() => {
    const timer = setTimeout(onRetry, getWait(error) * 1000);
    return () => clearTimeout(timer);
  }, [error, onRetry]);
  return <p class="failure quiet">Temporarily unavailable.</p>;
}

export function FailureOrigin({ error }: { readonly error: AskError }) {
  return error.code === null ? null : (
    <p class="quiet">
      <a href={`/errors/${error.code}`}>{error.code}</a>
      {error.requestId !== null && (
        <>
          {" "}
          · request <code>{error.requestId}</code>
        </>
      )}
    </p>
  );
}

function findFewerDays(days: number | null): number | null {
  return [365, 90, 30, 7, 1].find((fewer) => days === null || fewer < days) ?? null;
}
