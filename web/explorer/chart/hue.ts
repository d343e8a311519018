// Which of the colours of chart.css a card has: the same in every chart, for every filter, at every visit.

const KNOWN = ["visa", "mastercard", "amex", "maestro", "discover"];
const MORE = 3;

/** The position of the colour for what is none of the cards, or of several. */
export const NEUTRAL = KNOWN.length + MORE;

/** Gives the position of a card's colour; cards beyond the known share the remaining ones by their names. */
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
