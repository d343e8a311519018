// Copies the query as text for other programs to the clipboard; without a clipboard, shows it to be copied by hand.
import { useEffect, useState } from "preact/hooks";

import { Dialog } from "./Dialog.tsx";
import { findKey } from "./key.ts";
import type { Question } from "./question.ts";
import { buildCurl, buildGraphQL, buildPython, listHints } from "./share.ts";

const TOLD_MS = 4_000;

const TARGETS: readonly (readonly [string, (question: Question) => string])[] = [
  ["GraphQL", buildGraphQL],
  ["curl", (question) => buildCurl(question, location.origin, findKey() !== null)],
  ["Python", (question) => buildPython(question, location.origin, findKey() !== null)],
  ["Link", () => location.href],
];

type Copied = { readonly name: string; readonly text: string; readonly isDone: boolean };

export function Copy({ question }: { readonly question: Question }) {
  const [copied, setCopied] = useState<Copied | null>(null);
  const copy = async (name: string, text: string): Promise<void> => {
    setCopied({ name, text, isDone: await write(text) });
  };
  useEffect(() => {
    const timer = copied?.isDone ? setTimeout(() => setCopied(null), TOLD_MS) : undefined;
    return () => clearTimeout(timer);
  }, [copied]);

  return (
    <div class="strip" role="group" aria-label="Copy this query as">
      <span class="quiet" aria-hidden="true">
        Copy as
      </span>
      {TARGETS.map(([name, build]) => (
        <button key={name} type="button" class="small" onClick={() => void copy(name, build(question))}>
          {name}
        </button>
      ))}
      <span class="note" role="status">
        {copied?.isDone && [`${copied.name} copied.`, ...listHints(copied.text)].join(" ")}
      </span>
      {copied !== null && !copied.isDone && (
        <Dialog id="text" title={`Copy as ${copied.name}`} onClose={() => setCopied(null)}>
          <p class="quiet">{listHints(copied.text).join(" ")}</p>
          <textarea readOnly rows={16} aria-label={copied.name} onFocus={(event) => event.currentTarget.select()}>
            {copied.text}
          </textarea>
        </Dialog>
      )}
    </div>
  );
}

async function write(text: string): Promise<boolean> {
  try {
    // `clipboard` is missing unless the page came by HTTPS or from this machine.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
