// Exports all rows of the query as a file: by a link, which the browser downloads itself, or, with a key, which a link
// cannot carry, by the page.
import { useRef, useState } from "preact/hooks";

import { AskError, get } from "./api.ts";
import { FailureOrigin } from "./Failure.tsx";
import { findKey } from "./key.ts";
import type { Question } from "./question.ts";
import { buildExportPath, buildPath, type ExportFormat } from "./share.ts";

const FORMATS: readonly (readonly [ExportFormat, string])[] = [
  ["csv", "CSV"],
  ["ndjson", "NDJSON"],
  ["json", "JSON"],
  ["parquet", "Parquet"],
  ["arrow", "Arrow"],
];

type Told = { readonly text: string; readonly error: AskError | null };

export function Export({ question }: { readonly question: Question }) {
  const [told, setTold] = useState<Told | null>(null);
  const running = useRef<AbortController | null>(null);

  const download = async (format: ExportFormat, name: string): Promise<void> => {
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    setTold({ text: `Preparing ${name}…`, error: null });
    try {
      // Request one row first, so that a refusal is shown here instead of ending in a broken file.
      const first = await get(buildPath(question, { format, limit: "1" }), control.signal);
      await first.arrayBuffer();
      if (findKey() === null) {
        save(buildExportPath(question, format), "");
      } else {
        await fetchFile(buildExportPath(question, format), control.signal);
      }
      setTold({ text: `${name} is on its way to your downloads.`, error: null });
    } catch (error) {
      if (!control.signal.aborted) {
        setTold({
          text: error instanceof Error ? error.message : String(error),
          error: error instanceof AskError ? error : null,
        });
      }
    }
  };

  return (
    <div class="strip" role="group" aria-label="Export all rows as">
      <span class="quiet" aria-hidden="true">
        Export
      </span>
      {FORMATS.map(([format, name]) => (
        <a
          key={format}
          class="small"
          href={buildExportPath(question, format)}
          download
          onClick={(event) => {
            event.preventDefault();
            void download(format, name);
          }}
        >
          {name}
        </a>
      ))}
      <span class="note" role="status">
        {told?.text}
      </span>
      {told?.error && <FailureOrigin error={told.error} />}
    </div>
  );
}

/** Chromium keeps a large blob on disk; for an export that is too large for a browser, use the copied commands. */
async function fetchFile(path: string, signal: AbortSignal): Promise<void> {
  const response = await get(path, signal);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "transactions";
  const address = URL.createObjectURL(await response.blob());
  save(address, name);
  URL.revokeObjectURL(address);
}

function save(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}
