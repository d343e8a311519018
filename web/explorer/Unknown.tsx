// Names the parts of the address that are not applied and have no field to show that: otherwise, a misspelt condition
// would be silently ignored.
import type { Fault } from "./question.ts";

type UnknownProps = { readonly names: readonly string[]; readonly order: Fault | undefined };

export function Unknown({ names, order }: UnknownProps) {
  const texts = names.map(
    (name) => `“${name}” is not applied: this page takes days, card, country, min, max and order in its address.`,
  );
  if (order !== undefined) {
    texts.push(order.message);
  }
  return texts.length === 0 ? null : (
    <div class="banner plain" role="alert">
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );
}
