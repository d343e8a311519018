// Parameters of the address that the page does not know: a misspelt condition would otherwise be left out in silence.

export function Unknown({ names }: { readonly names: readonly string[] }) {
  return names.length === 0 ? null : (
    <div class="banner plain" role="alert">
      <ul>
        {names.map((name) => (
          <li key={name}>
            “{name}” is not applied: this page takes days, card, country, min, max and order in its address.
          </li>
        ))}
      </ul>
    </div>
  );
}
