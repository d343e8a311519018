// How counts, amounts, dates and card numbers are written for a person, in the browser's locale unless another is
// given.

const MASK = /^\*+(?=\d{4}$)/;
// As many as Intl takes everywhere: no digit of an amount is rounded away, whatever its currency has by custom.
const MOST_DIGITS = 20;
// A format takes longer to make than hundreds of numbers take to write.
const numberFormats = new Map<string, Intl.NumberFormat>();
const moneyFormats = new Map<string, (amount: string) => string>();
const dateFormats = new Map<string, Intl.DateTimeFormat>();
let timeZone: string | null = null;

export function formatCount(count: number, locale?: string): string {
  return getNumberFormat({}, locale).format(count);
}

export function formatPercent(share: number, locale?: string): string {
  return getNumberFormat({ style: "percent" }, locale).format(share);
}

export function getNumberFormat(options: Intl.NumberFormatOptions, locale?: string): Intl.NumberFormat {
  const key = `${locale ?? ""} ${JSON.stringify(options)}`;
  let format = numberFormats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, options);
    numberFormats.set(key, format);
  }
  return format;
}

/** Writes an exact decimal string with its currency; a currency that is no code of ISO 4217 stands after the number. */
export function formatAmount(amount: string, currency: string, locale?: string): string {
  const key = `${locale ?? ""} ${currency}`;
  let format = moneyFormats.get(key);
  if (format === undefined) {
    format = buildMoneyFormat(currency, locale);
    moneyFormats.set(key, format);
  }
  return format(amount);
}

// Intl reads the string itself, digit by digit (ECMA-402, Intl.NumberFormat v3).
function buildMoneyFormat(currency: string, locale: string | undefined): (amount: string) => string {
  if (/^[A-Za-z]{3}$/.test(currency)) {
    const money = new Intl.NumberFormat(locale, { style: "currency", currency, maximumFractionDigits: MOST_DIGITS });
    return (amount) => money.format(amount as Intl.StringNumericLiteral);
  }
  const number = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: MOST_DIGITS });
  return (amount) => `${number.format(amount as Intl.StringNumericLiteral)} ${currency}`.trim();
}

export function formatDate(date: string, options: Intl.DateTimeFormatOptions, locale?: string): string {
  const moment = new Date(date);
  return Number.isNaN(moment.getTime()) ? date : getDateFormat(options, locale).format(moment);
}

export function getDateFormat(options: Intl.DateTimeFormatOptions, locale?: string): Intl.DateTimeFormat {
  const key = `${locale ?? ""} ${JSON.stringify(options)}`;
  let format = dateFormats.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale, options);
    dateFormats.set(key, format);
  }
  return format;
}

/** Gives the zone in which dates are written, that of the page's start: a name of IANA's database. */
export function getTimeZone(): string {
  timeZone ??= new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return timeZone;
}

/** Shortens a mask; a number that came whole is parted in fours. */
export function formatCardNumber(cardNumber: string): string {
  return MASK.test(cardNumber) ? cardNumber.replace(MASK, "•••• ") : cardNumber.replace(/(\d{4})(?=\d)/g, "$1 ");
}

/** Gives the days of a question in words. */
export function formatPeriod(days: number | null): string {
  switch (days) {
    case null:
      return "All time";
    case 1:
      return "Last 24 hours";
    default:
      return `Last ${formatCount(days)} days`;
  }
}

/** Gives the days of a question in words that follow a number of transactions. */
export function formatWithin(days: number | null): string {
  return days === null ? "of all time" : `in the ${formatPeriod(days).toLowerCase()}`;
}
