// Sets or forgets the API key. The key is never shown again, and only leaves the tab in requests to this gateway.
import { useState } from "preact/hooks";

import { Dialog } from "./Dialog.tsx";
import { findKey, forgetKey, keepKey } from "./key.ts";
import { FaultText } from "./TextField.tsx";

type KeyDialogProps = {
  /** Why a key is required: the gateway's message. */
  readonly reason: string | null;
  readonly onChange: () => void;
  readonly onClose: () => void;
};

export function KeyDialog({ reason, onChange, onClose }: KeyDialogProps) {
  const [key, setKey] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const submit = (event: Event): void => {
    event.preventDefault();
    // The characters that the header allows (RFC 6750, section 2.1).
    if (!/^[\w\-.~+/]+=*$/.test(key.trim())) {
      setFault("Enter the key or token exactly as issued: letters, digits and -._~+/= without spaces.");
      return;
    }
    keepKey(key.trim());
    onChange();
    onClose();
  };
  const forget = (): void => {
    forgetKey();
    location.reload(); // so that nothing stays that the key gave access to: no row, no chart, no live connection
  };
  return (
    <Dialog id="key" title="API key" onClose={onClose}>
      <form onSubmit={submit}>
        {reason !== null && (
          <p class="fault">
            {findKey() === null ? "" : "The current key was not accepted. "}
            {reason}
          </p>
        )}
        <p class="quiet">Kept only in this tab and sent only to this gateway. GraphiQL uses it too.</p>
        <div class="field">
          <label for="key-text">API key or token</label>
          <input
            id="key-text"
            type="password"
            autoFocus
            autocomplete="off"
            spellcheck={false}
            value={key}
            placeholder={findKey() === null ? "txgw_…" : "a key is set"}
            aria-invalid={fault !== null}
            aria-describedby={fault === null ? undefined : "key-text-fault"}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
          <FaultText id="key-text" fault={fault === null ? undefined : { text: key, message: fault }} />
        </div>
        <p class="actions">
          <button type="submit" class="button primary">
            Use this key
          </button>
          {findKey() !== null && (
            <button type="button" class="button" onClick={forget}>
              Forget the key
            </button>
          )}
        </p>
      </form>
    </Dialog>
  );
}
