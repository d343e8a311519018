// What an address asked that the page could not: it is told, for the answer is another one then.
import type { Faults } from "./question.ts";

type NotAppliedProps = { readonly faults: Faults; readonly unknown: readonly string[] };

export function NotApplied({ faults, unknown }: NotAppliedProps) {
  const told = [
    ...Object.entries(faults).map(([field, fault]) => `${field}: ${fault.message}`),
    ...unknown.map(
      (name) => `${name} is not a parameter of this page; it takes days, card, country, min, max and order.`,
    ),
  ];
  return told.length === 0 ? null : (
    <div class="banner plain" role="alert">
      <div>
        <p>Not applied:</p>
        <ul>
          {told.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}
