// The field for the card's brand: those that occur can be clicked, any other can be typed.
import type { Fault } from "./question.ts";
import { TextField } from "./TextField.tsx";

type CardFieldProps = {
  readonly cardType: string | null;
  readonly cardTypes: readonly string[];
  readonly fault: Fault | undefined;
  readonly onPick: (cardType: string | null) => void;
  readonly onEnter: (text: string) => void;
};

export function CardField({ cardType, cardTypes, fault, onPick, onEnter }: CardFieldProps) {
  const chosen = cardTypes.find((name) => name.toLowerCase() === cardType?.toLowerCase());
  return (
    <fieldset class="group">
      <legend>Card type</legend>
      <div class="choices">
        {cardTypes.map((name) => (
          <button
            key={name}
            type="button"
            class="choice"
            aria-pressed={name === chosen}
            onClick={() => onPick(name === chosen ? null : name)}
          >
            {name}
          </button>
        ))}
      </div>
      <TextField
        id="card"
        label="Other card type"
        placeholder="any"
        value={chosen === undefined ? (cardType ?? "") : ""}
        fault={fault}
        onEnter={onEnter}
      />
    </fieldset>
  );
}
