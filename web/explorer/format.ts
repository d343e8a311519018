// Formats counts, amounts, dates and card numbers for display, in the browser's locale unless another is given.

const MASK = /^\*+(?=\d{4}$)/;
// The most that Intl supports everywhere: amounts are not rounded to their currency's usual decimals.
const MOST_DIGITS = 20;
// Cached, because creating a format takes longer than formatting hundreds of numbers.
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

/** Formats an exact decimal string with its currency; one that is not an ISO 4217 code follows the number. */
export function formatAmount(amount: string, currency: string, locale?: string): string {
  const key = `${locale ?? ""} ${currency}`;
  let format = moneyFormats.get(key);
  if (format === undefined) {
    format = buildMoneyFormat(currency, locale);
    moneyFormats.set(key, format);
  }
  return format(amount);
}

// Intl formats the string itself, without conversion to a float (ECMA-402, Intl.NumberFormat v3).
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

/** Returns the IANA name of the time zone for dates: the browser's, as of the first call. */
export function getTimeZone(): string {
  timeZone ??= new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return timeZone;
}

/** Shortens the mask of a masked number; groups the digits of a full number in fours. */
export function formatCardNumber(cardNumber: string): string {
  return MASK.test(cardNumber) ? cardNumber.replace(MASK, "•••• ") : cardNumber.replace(/(\d{4})(?=\d)/g, "$1 ");
}

/** Describes a query's days in words. */
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

/** Describes a query's days in words that can follow a number of transactions. */
export function formatWithin(days: number | null): string {
  return days === null ? "of all time" : `in the ${formatPeriod(days).toLowerCase()}`;
}
