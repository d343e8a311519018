// All conditions of the query, each with its field.
import { useState } from "preact/hooks";

import { CardField } from "./CardField.tsx";
import { useChoices } from "./choice.ts";
import { CountryField } from "./CountryField.tsx";
import { DaysField } from "./DaysField.tsx";
import { DEFAULT_QUESTION, type Faults, type Field, type Question } from "./question.ts";
import { TextField } from "./TextField.tsx";

type FiltersProps = {
  readonly question: Question;
  readonly faults: Faults;
  readonly onPick: (change: Partial<Question>) => void;
  readonly onEnter: (field: Field, text: string) => void;
};

export function Filters({ question, faults, onPick, onEnter }: FiltersProps) {
  const choices = useChoices(question);
  // Closed at first, because on a narrow screen the fields would push the answer down.
  const [isOpen, setIsOpen] = useState(false);
  const isShown = isOpen || Object.keys(faults).length > 0;
  return (
    <>
      <button
        type="button"
        class="button wide disclosure"
        aria-expanded={isShown}
        aria-controls="filters"
        onClick={() => setIsOpen(!isShown)}
      >
        Filters
        <span aria-hidden="true">{isShown ? "▴" : "▾"}</span>
      </button>
      <form
        id="filters"
        class={isShown ? "filters" : "filters folded"}
        aria-label="Filters"
        onSubmit={(event) => event.preventDefault()}
      >
        <DaysField
          days={question.days}
          fault={faults.days}
          onPick={(days) => onPick({ days })}
          onEnter={(text) => onEnter("days", text)}
        />
        <CardField
          cardType={question.cardType}
          cardTypes={choices.cardTypes}
          fault={faults.card}
          onPick={(cardType) => onPick({ cardType })}
          onEnter={(text) => onEnter("card", text)}
        />
        <CountryField
          country={question.country}
          countries={choices.countries}
          fault={faults.country}
          onEnter={(text) => onEnter("country", text)}
        />
        <fieldset class="group">
          <legend>Amount, in any currency</legend>
          <div class="pair">
            <TextField
              id="min"
              label="From"
              inputMode="decimal"
              placeholder="any"
              value={question.minAmount ?? ""}
              fault={faults.min}
              onEnter={(text) => onEnter("min", text)}
            />
            <TextField
              id="max"
              label="To"
              inputMode="decimal"
              placeholder="any"
              value={question.maxAmount ?? ""}
              fault={faults.max}
              onEnter={(text) => onEnter("max", text)}
            />
          </div>
        </fieldset>
        <button type="button" class="button wide" onClick={() => onPick(DEFAULT_QUESTION)}>
          Reset
        </button>
      </form>
    </>
  );
}
