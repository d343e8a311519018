// Shows that an answer takes long, was stopped or has failed, and offers a retry.
import type { Answer } from "./answer.ts";
import { findOutage, isKeyWanted } from "./api.ts";
import { isFieldFault } from "./serverFault.ts";

type WaitProps = { readonly answer: Answer<unknown>; readonly what: string };

export function Wait({ answer, what }: WaitProps) {
  const { error, isSlow, isStopped, isWaiting, retry, stop } = answer;
  if (isWaiting) {
    return isSlow ? <Told text={`${what} is taking long…`} button="Stop" onClick={stop} /> : null;
  }
  if (isStopped) {
    return <Told text={`${what} was stopped.`} button="Try again" onClick={retry} />;
  }
  // Errors that concern the whole page are shown once, elsewhere.
  const isTold = findOutage([error]) !== undefined || isKeyWanted(error) || isFieldFault(error);
  return error === null || isTold ? null : (
    <Told
      text={`${what} failed: ${error instanceof Error ? error.message : String(error)}`}
      button="Try again"
      onClick={retry}
    />
  );
}

type ToldProps = { readonly text: string; readonly button: string; readonly onClick: () => void };

function Told({ text, button, onClick }: ToldProps) {
  return (
    <span class="wait" role="status">
      {text}{" "}
      <button type="button" class="link" onClick={onClick}>
        {button}
      </button>
    </span>
  );
}
