// The field for the country, found by its name or code: a combobox with a list (WAI-ARIA 1.2, combobox).
import { useMemo, useRef, useState } from "preact/hooks";

import { formatCountry, listCountries, readCountry, searchCountries } from "./country.ts";
import type { Fault } from "./question.ts";
import { FaultText } from "./TextField.tsx";

type CountryFieldProps = {
  readonly country: string | null;
  /** The countries that occur; they are listed first. */
  readonly countries: readonly string[];
  readonly fault: Fault | undefined;
  readonly onEnter: (text: string) => void;
};

export function CountryField({ country, countries, fault, onEnter }: CountryFieldProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const [active, setActive] = useState(-1);
  const [isOpen, setIsOpen] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const all = useMemo(() => (isOpen ? [...new Set([...countries, ...listCountries()])] : []), [countries, isOpen]);
  const found = useMemo(() => (isOpen ? searchCountries(all, draft ?? "") : []), [all, draft, isOpen]);

  const close = (): void => {
    setIsOpen(false);
    setActive(-1);
    setDraft(null);
  };
  const enter = (code: string | undefined): void => {
    if (code !== undefined) {
      onEnter(code);
    } else if (draft !== null) {
      onEnter(readCountry(all, draft));
    }
    close();
  };
  const move = (step: number): void => {
    // Moving up from the first one, or from none, leads to the last one.
    const last = active < 0 && step < 0 ? 0 : active;
    const next = isOpen ? (last + step + found.length) % Math.max(1, found.length) : 0;
    setIsOpen(true);
    setActive(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      enter(found[active]);
    } else if (event.key === "Escape") {
      close();
    }
  };

  return (
    <div class="field group combobox">
      <label for="country">Country</label>
      <input
        id="country"
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        placeholder="any"
        aria-expanded={isOpen}
        aria-controls="countries"
        aria-autocomplete="list"
        aria-activedescendant={active < 0 ? undefined : `country-${found[active]}`}
        aria-invalid={fault !== undefined}
        aria-describedby={fault && "country-fault"}
        value={draft ?? fault?.text ?? (country === null ? "" : formatCountry(country))}
        onInput={(event) => {
          setDraft(event.currentTarget.value);
          setActive(-1);
          setIsOpen(true);
        }}
        onClick={(event) => {
          setIsOpen(true);
          if (draft === null) {
            event.currentTarget.select(); // so that what is typed replaces it
          }
        }}
        onFocus={(event) => event.currentTarget.select()}
        onBlur={() => enter(undefined)}
        onKeyDown={onKeyDown}
      />
      <ul id="countries" role="listbox" aria-label="Countries" hidden={!isOpen || found.length === 0} ref={list}>
        {found.map((code, index) => (
          <li
            key={code}
            id={`country-${code}`}
            role="option"
            aria-selected={index === active}
            // On mousedown, because a click would first blur the field, which enters its text.
            onMouseDown={(event) => {
              event.preventDefault();
              enter(code);
            }}
          >
            <span>{formatCountry(code)}</span>
            <span class="quiet">{code}</span>
          </li>
        ))}
      </ul>
      <FaultText id="country" fault={fault} />
    </div>
  );
}
