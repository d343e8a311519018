// Assigns the colours of chart.css to cards: the same in every chart, for every filter, at every visit.

const KNOWN = ["visa", "mastercard", "amex", "maestro", "discover"];
const MORE = 3;

/** The index of the colour for no card or several cards. */
export const NEUTRAL = KNOWN.length + MORE;

/** Returns the index of a card's colour; unknown cards share the remaining colours, assigned by name. */
export function findHue(card: string | null): number {
  if (card === null) {
    return NEUTRAL;
  }
  const name = card.toLowerCase();
  const position = KNOWN.indexOf(name);
  return position >= 0 ? position : KNOWN.length + ([...name].reduce(hash, 0) % MORE);
}

function hash(seed: number, letter: string): number {
  return (seed * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
}
