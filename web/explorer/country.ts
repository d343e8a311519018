// Countries by name, in the browser's language: what a person types, and what the gateway is asked, ISO 3166-1 alpha-2.

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const names = new Intl.DisplayNames(undefined, { type: "region", fallback: "none" });
// Regions that are no countries.
const NOT_A_COUNTRY: ReadonlySet<string> = new Set(["EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"]);

/** Gives the name of a country, whose code is matched whatever its case, or the code itself where it has none. */
export function formatCountry(code: string): string {
  return findName(code.toUpperCase()) ?? code;
}

/** Gives all codes that have a name, by name. It takes a phone a quarter of a second: ask when they are to be seen. */
export function listCountries(): readonly string[] {
  const { compare } = new Intl.Collator();
  return LETTERS.flatMap((first) => LETTERS.map((second) => first + second))
    .filter((code) => !NOT_A_COUNTRY.has(code))
    .map((code) => ({ code, name: findName(code) ?? "" }))
    .filter(({ code, name }) => name !== "" && !isAlias(code))
    .sort((one, other) => compare(one.name, other.name))
    .map(({ code }) => code);
}

/** Gives the codes whose name has a word that begins with the text, or that begin with it themselves. */
export function searchCountries(codes: readonly string[], text: string): readonly string[] {
  const wanted = fold(text.trim());
  return codes.filter((code) => {
    const name = fold(formatCountry(code));
    return name.startsWith(wanted) || name.includes(` ${wanted}`) || fold(code).startsWith(wanted);
  });
}

/** Gives the code that is meant by a country's whole name, or the text itself. */
export function readCountry(codes: readonly string[], text: string): string {
  const wanted = fold(text.trim());
  return codes.find((code) => fold(formatCountry(code)) === wanted) ?? text.trim();
}

/** Whether a code stands for another one, as East Germany's does for Germany's (Unicode's territoryAlias). */
function isAlias(code: string): boolean {
  return new Intl.Locale(`und-${code}`).region !== code;
}

function findName(code: string): string | undefined {
  return /^[A-Z]{2}$/.test(code) ? names.of(code) : undefined;
}

/** Leaves case and accents out. */
function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
