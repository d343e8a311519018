// Validates the text of a filter's field as schema/filter.py does, but before anything is sent, and says what would be
// accepted. The gateway has the last word.

const MAX_DAYS = 36_500;
const MAX_CARD_TYPE_LENGTH = 64;
const MAX_AMOUNT_DIGITS = 15;
const AMOUNT = /^(-?)(\d+)(?:\.(\d+))?$/;
// Unicode's control, format, unassigned, private-use and separator characters, except the space, are unprintable.
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

export function findDaysFault(text: string): string | null {
  const accepted = `give a whole number from 0 to ${MAX_DAYS}, or all.`;
  if (!/^\d+$/.test(text)) {
    return `“${text}” is not a whole number of days; ${accepted}`;
  }
  return text.length > 10 || Number(text) > MAX_DAYS ? `“${text}” is too many days; ${accepted}` : null;
}

export function findCardTypeFault(text: string): string | null {
  const accepted = `give a card brand of 1 to ${MAX_CARD_TYPE_LENGTH} printable characters, such as Visa.`;
  if ([...text].length > MAX_CARD_TYPE_LENGTH) {
    return `This has ${[...text].length} characters; ${accepted}`;
  }
  return UNPRINTABLE.test(text) ? `This holds characters that cannot be printed; ${accepted}` : null;
}

export function findCountryFault(text: string): string | null {
  return /^[A-Za-z]{2,3}$/.test(text)
    ? null
    : `“${text}” is no country; choose one, or give an ISO 3166-1 code such as US or USA.`;
}

export function findAmountFault(text: string): string | null {
  const accepted = `give a decimal number such as 100 or 99.95, with a point and at most ${MAX_AMOUNT_DIGITS} digits.`;
  const parts = AMOUNT.exec(text);
  if (parts === null) {
    return `“${text}” is not a decimal number; ${accepted}`;
  }
  const whole = (parts[2] ?? "").replace(/^0+/, "");
  const digits = `${whole}${parts[3] ?? ""}`.replace(/^0+/, "").replace(/0+$/, "");
  const isTooLong = digits.length > MAX_AMOUNT_DIGITS || whole.length > MAX_AMOUNT_DIGITS || text.length > 40;
  return isTooLong ? `“${text}” has too many digits; ${accepted}` : null;
}

export function findRangeFault(minAmount: string | null, maxAmount: string | null): string | null {
  return minAmount !== null && maxAmount !== null && compareDecimals(minAmount, maxAmount) > 0
    ? `The smallest amount, ${minAmount}, is more than the largest, ${maxAmount}; give the smaller one here.`
    : null;
}

/** Compares two decimal strings exactly: negative, 0 or positive if the first is less, equal or more. */
export function compareDecimals(one: string, other: string): number {
  const places = Math.max(countPlaces(one), countPlaces(other));
  const difference = scale(one, places) - scale(other, places);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function countPlaces(text: string): number {
  return text.split(".")[1]?.length ?? 0;
}

function scale(text: string, places: number): bigint {
  const [whole = "", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(places, "0"));
}
