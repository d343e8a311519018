// Keeps the address bar and the page's query in sync: each change is a history entry, so that Back undoes it.
import { useCallback, useEffect, useState } from "preact/hooks";

import { changeField, isSameQuestion, readQuestion, writeQuestion } from "./question.ts";
import type { Field, Question, Reading } from "./question.ts";

export type Address = Reading & {
  readonly pick: (change: Partial<Question>) => void;
  /** Applies a field's text as typed. */
  readonly enter: (field: Field, text: string) => void;
  /** Replaces a query by an equivalent form; the address, which means the same, is left unchanged. */
  readonly rewrite: (question: Question, change: Partial<Question>) => void;
  readonly reload: () => void;
};

export function useAddress(): Address {
  const [reading, setReading] = useState<Reading>(() => readQuestion(location.search));

  useEffect(() => {
    // A link within the page, such as the one to skip the filters, causes the same event: it must not reload anything.
    const follow = (): void => {
      const next = readQuestion(location.search);
      setReading((last) =>
        isSameQuestion(next.question, last.question) ? { ...next, question: last.question } : next,
      );
    };
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);

  const show = useCallback((next: Reading) => {
    const search = writeQuestion(next.question);
    if (search !== location.search) {
      history.pushState(null, "", search === "" ? location.pathname : search);
    }
    setReading(next);
  }, []);
  const pick = useCallback(
    (change: Partial<Question>) => show({ question: { ...reading.question, ...change }, faults: {}, unknown: [] }),
    [reading, show],
  );
  const enter = useCallback(
    (field: Field, text: string) => {
      const next = changeField(reading, field, text);
      if (next.question === reading.question) {
        setReading(next); // only a fault came or went
      } else {
        show(next);
      }
    },
    [reading, show],
  );
  const rewrite = useCallback(
    (question: Question, change: Partial<Question>) =>
      setReading((last) => (last.question === question ? { ...last, question: { ...question, ...change } } : last)),
    [],
  );
  const reload = useCallback(() => setReading((last) => ({ ...last, question: { ...last.question } })), []);
  return { ...reading, pick, enter, rewrite, reload };
}
