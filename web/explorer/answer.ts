// The state of a query's answer: waiting, slow, stopped, failed or there. The last answer stays until the next arrives.
import { useCallback, useEffect, useState } from "preact/hooks";

import type { Question } from "./question.ts";

/** After this time, in ms, a wait is reported. */
const SLOW_MS = 2_000;

export type Answer<Value> = {
  /** The last answer, and the query that it belongs to; null before the first. */
  readonly value: Value | null;
  readonly question: Question | null;
  readonly isWaiting: boolean;
  readonly isSlow: boolean;
  readonly isStopped: boolean;
  readonly error: unknown;
  readonly stop: () => void;
  readonly retry: () => void;
};

/** `asked` is the query that everything except `value` and `question` describes. */
type State<Value> = Omit<Answer<Value>, "stop" | "retry"> & { readonly asked: Question };

const REST = { isWaiting: false, isSlow: false, isStopped: false, error: null } as const;
const WAITING = { ...REST, isWaiting: true } as const;

/**
 * Sends a request for each new question object; `load` must be the same function each time. It waits until `isDue`, so
 * that a slow request comes after those that it would delay.
 */
export function useAnswer<Value>(
  question: Question,
  load: (question: Question, signal: AbortSignal) => Promise<Value>,
  isDue = true,
): Answer<Value> {
  const [state, setState] = useState<State<Value>>({ ...WAITING, value: null, question: null, asked: question });
  const [attempt, setAttempt] = useState(0);
  const [current, setCurrent] = useState<AbortController | null>(null);

  useEffect(() => {
    setState((last) => ({ ...last, ...WAITING, asked: question }));
    if (!isDue) {
      return undefined;
    }
    const control = new AbortController();
    setCurrent(control);
    const slow = setTimeout(() => setState((last) => ({ ...last, isSlow: true })), SLOW_MS);
    load(question, control.signal)
      .then((value) => {
        if (!control.signal.aborted) {
          setState({ ...REST, value, question, asked: question });
        }
      })
      .catch((error: unknown) => {
        if (!control.signal.aborted) {
          setState((last) => ({ ...last, ...REST, error }));
        }
      })
      .finally(() => clearTimeout(slow));
    return () => {
      clearTimeout(slow);
      control.abort();
    };
  }, [question, load, isDue, attempt]);

  const stop = useCallback(() => {
    current?.abort();
    setState((last) => ({ ...last, ...REST, isStopped: true }));
  }, [current]);
  const retry = useCallback(() => setAttempt((last) => last + 1), []);
  const { asked, ...answer } = state;
  return { ...answer, ...(asked !== question && WAITING), stop, retry };
}
