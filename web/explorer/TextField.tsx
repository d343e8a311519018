// A labelled text field whose value takes effect on Enter or on leaving the field. Its error is shown below.
import { useState } from "preact/hooks";
import type { HTMLAttributes } from "preact";

import type { Fault } from "./question.ts";

type TextFieldProps = {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly fault: Fault | undefined;
  readonly placeholder?: string;
  readonly inputMode?: HTMLAttributes<HTMLInputElement>["inputMode"];
  readonly onEnter: (text: string) => void;
};

export function TextField({ id, label, value, fault, placeholder, inputMode, onEnter }: TextFieldProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const enter = (): void => {
    if (draft !== null) {
      setDraft(null);
      onEnter(draft);
    }
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        spellcheck={false}
        inputMode={inputMode}
        placeholder={placeholder}
        value={draft ?? fault?.text ?? value}
        aria-invalid={fault !== undefined}
        aria-describedby={fault && `${id}-fault`}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onFocus={(event) => event.currentTarget.select()}
        onBlur={enter}
        onKeyDown={(event) => event.key === "Enter" && enter()}
      />
      <FaultText id={id} fault={fault} />
    </div>
  );
}

export function FaultText({ id, fault }: { readonly id: string; readonly fault: Fault | undefined }) {
  return fault === undefined ? null : (
    <p class="fault" id={`${id}-fault`} role="alert">
      {fault.message}
    </p>
  );
}
