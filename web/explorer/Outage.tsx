// Tells that nothing can be answered for now, and asks again by itself when the gateway said that it may.
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
        {/* Each second would be too much to listen to. */}
        <span aria-hidden="true">{left > 0 ? `Trying again in ${left} s` : "Trying again…"}</span>
        <button type="button" class="button" onClick={onRetry}>
          Try now
        </button>
      </p>
    </div>
  );
}
