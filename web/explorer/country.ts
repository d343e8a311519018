// Translates between country names in the browser's language and the gateway's codes (ISO 3166-1 alpha-2).

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const names = new Intl.DisplayNames(undefined, { type: "region", fallback: "none" });
// Regions that are not countries.
const NOT_A_COUNTRY: ReadonlySet<string> = new Set(["EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"]);

/** Returns the name of a country, by its code in any case, or the code itself if it has no name. */
export function formatCountry(code: string): string {
  return findName(code.toUpperCase()) ?? code;
}

/** Returns all codes with a name, sorted by name. Slow on a phone (250 ms): call it only when they are shown. */
export function listCountries(): readonly string[] {
  const { compare } = new Intl.Collator();
  return LETTERS.flatMap((first) => LETTERS.map((second) => first + second))
    .filter((code) => !NOT_A_COUNTRY.has(code))
    .map((code) => ({ code, name: findName(code) ?? "" }))
    .filter(({ code, name }) => name !== "" && !isAlias(code))
    .sort((one, other) => compare(one.name, other.name))
    .map(({ code }) => code);
}

/** Returns the codes that start with the text, or whose name has a word that starts with it. */
export function searchCountries(codes: readonly string[], text: string): readonly string[] {
  const wanted = fold(text.trim());
  return codes.filter((code) => {
    const name = fold(formatCountry(code));
    return name.startsWith(wanted) || name.includes(` ${wanted}`) || fold(code).startsWith(wanted);
  });
}

/** Returns the code of a country's full name, or the text itself. */
export function readCountry(codes: readonly string[], text: string): string {
  const wanted = fold(text.trim());
  return codes.find((code) => fold(formatCountry(code)) === wanted) ?? text.trim();
}

/** Whether a code is an alias of another, as East Germany's is of Germany's (Unicode territoryAlias). */
function isAlias(code: string): boolean {
  return new Intl.Locale(`und-${code}`).region !== code;
}

function findName(code: string): string | undefined {
  return /^[A-Z]{2}$/.test(code) ? names.of(code) : undefined;
}

/** Removes case and accents. */
function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
