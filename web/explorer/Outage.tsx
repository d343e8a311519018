// Says that the gateway cannot answer at the moment, and retries automatically after the time that it gave.
import { useEffect, useState } from "preact/hooks";

import { getWait, type AskError } from "./api.ts";
import { FailureOrigin } from "./Failure.tsx";

type OutageProps = { readonly error: AskError; readonly onRetry: () => void };

export function Outage({ error, onRetry }: OutageProps) {
  const [left, setLeft] = useState(0);

  useEffect(() => {
    const end = Date.now() + getWait(error) * 1000;
    const tick = (): void => {
      const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      setLeft(seconds);
      if (seconds === 0) {
        clearInterval(timer);
        onRetry();
      }
    };
    const timer = setInterval(tick, 250);
    tick();
    addEventListener("online", onRetry);
    return () => {
      clearInterval(timer);
      removeEventListener("online", onRetry);
    };
  }, [error, onRetry]);

  return (
    <div class="banner">
      <div role="status">
        <p>{error.message}</p>
        <FailureOrigin error={error} />
      </div>
      <p class="actions">
        {/* Hidden from screen readers, which would read out each second. */}
        <span aria-hidden="true">{left > 0 ? `Trying again in ${left} s` : "Trying again…"}</span>
        <button type="button" class="button" onClick={onRetry}>
          Try now
        </button>
      </p>
    </div>
  );
}
