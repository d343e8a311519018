// Says of an answer that takes long that it does, and lets it be stopped and asked for again.
import type { Answer } from "./answer.ts";

type WaitProps = { readonly answer: Answer<unknown>; readonly what: string };

export function Wait({ answer, what }: WaitProps) {
  if (!answer.isStopped && !(answer.isWaiting && answer.isSlow)) {
    return null;
  }
  return (
    <span class="wait" role="status">
      {answer.isStopped ? `${what} was stopped.` : `${what} takes long…`}{" "}
      <button type="button" class="link" onClick={answer.isStopped ? answer.retry : answer.stop}>
        {answer.isStopped ? "Ask again" : "Stop"}
      </button>
    </span>
  );
}
