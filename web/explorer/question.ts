// The page's query: which transactions, in which order. It translates to the address bar and GraphQL; it knows no DOM.
import { findDaysFault, findAmountFault, findCardTypeFault, findCountryFault, findRangeFault } from "./fault.ts";
import type { TransactionFilter, TransactionOrder } from "./operations.ts";

export type { TransactionFilter };

export type Order = TransactionOrder;

/**
 * Conditions that are null do not apply. Amounts are decimal strings, never floats. An equal question in a new object
 * means a reload.
 */
export type Question = {
  readonly days: number | null;
  readonly cardType: string | null;
  readonly country: string | null;
  readonly minAmount: string | null;
  readonly maxAmount: string | null;
  readonly order: Order;
};

/** The names of the address's parameters. */
export type Field = "days" | "card" | "country" | "min" | "max" | "order";

/** A field's invalid text, and a message that says what is wrong and what would be accepted. */
export type Fault = { readonly text: string; readonly message: string };

export type Faults = Readonly<Partial<Record<Field, Fault>>>;

export type Reading = { readonly question: Question; readonly faults: Faults; readonly unknown: readonly string[] };

export const DEFAULT_QUESTION: Question = {
  days: 90,
  cardType: null,
  country: null,
  minAmount: null,
  maxAmount: null,
  order: "DATE_DESC",
};

const ORDERS: Readonly<Record<string, Order>> = {
  "date-desc": "DATE_DESC",
  "date-asc": "DATE_ASC",
  "amount-desc": "AMOUNT_DESC",
  "amount-asc": "AMOUNT_ASC",
};

const FIELDS: readonly Field[] = ["days", "card", "country", "min", "max", "order"];
const ALL_DAYS = "all";

/** Reads the address's query string. Invalid and unknown parameters are not applied but reported. */
export function readQuestion(search: string): Reading {
  const parameters = new URLSearchParams(search);
  const faults: { -readonly [name in Field]?: Fault } = {};

  const read = (field: Field, findFault: (text: string) => string | null): string | null => {
    const text = parameters.get(field)?.trim() ?? "";
    const message = text === "" ? null : findFault(text);
    if (message !== null) {
      faults[field] = { text, message };
    }
    return text === "" || message !== null ? null : text;
  };

  const days = read("days", (text) => (text === ALL_DAYS ? null : findDaysFault(text)));
  const order = read("order", findOrderFault);
  const minAmount = read("min", findAmountFault);
  const maxAmount = read("max", findAmountFault);
  const range = findRangeFault(minAmount, maxAmount);
  if (range !== null && minAmount !== null) {
    faults.min = { text: minAmount, message: range };
  }
  return {
    question: {
      days: days === null ? DEFAULT_QUESTION.days : days === ALL_DAYS ? null : Number(days),
      cardType: read("card", findCardTypeFault),
      country: read("country", findCountryFault)?.toUpperCase() ?? null,
      minAmount: range === null ? minAmount : null,
      maxAmount,
      order: (order === null ? undefined : ORDERS[order]) ?? DEFAULT_QUESTION.order,
    },
    faults,
    unknown: [...new Set(parameters.keys())].filter((name) => !FIELDS.some((field) => field === name)),
  };
}

/** Writes the address's query string; empty for the default query. */
export function writeQuestion(question: Question): string {
  if (isSameQuestion(question, DEFAULT_QUESTION)) {
    return "";
  }
  const parameters = new URLSearchParams({ days: question.days === null ? ALL_DAYS : String(question.days) });
  const conditions: readonly (readonly [Field, string | null])[] = [
    ["card", question.cardType],
    ["country", question.country],
    ["min", question.minAmount],
    ["max", question.maxAmount],
  ];
  for (const [name, value] of conditions) {
    if (value !== null) {
      parameters.set(name, value);
    }
  }
  if (question.order !== DEFAULT_QUESTION.order) {
    parameters.set("order", question.order.toLowerCase().replace("_", "-"));
  }
  return `?${parameters}`;
}

/** Applies a field's text as typed; if it is invalid, reports the fault and keeps the query. */
export function changeField(reading: Reading, field: Field, text: string): Reading {
  const parameters = new URLSearchParams(writeQuestion(reading.question));
  if (!parameters.has("days")) {
    parameters.set("days", String(DEFAULT_QUESTION.days));
  }
  parameters.set(field, text.trim());
  const next = readQuestion(`?${parameters}`);
  const { [field]: _, ...others } = reading.faults;
  const fault = next.faults[field] ?? (field === "max" ? next.faults.min : undefined);
  if (fault !== undefined) {
    return { ...reading, faults: { ...others, [field]: { text: text.trim(), message: fault.message } } };
  }
  const question = isSameQuestion(next.question, reading.question) ? reading.question : next.question;
  return { question, faults: others, unknown: [] };
}

/** Builds the filter as an operation's variable. */
export function buildFilter(question: Question): TransactionFilter {
  const { days, cardType, country, minAmount, maxAmount } = question;
  return {
    ...(days !== null && { days }),
    ...(cardType !== null && { cardType }),
    ...(country !== null && { country }),
    ...(minAmount !== null && { minAmount }),
    ...(maxAmount !== null && { maxAmount }),
  };
}

/** Whether two queries have the same answer, apart from the order of its rows. */
export function isSameFilter(one: Question, other: Question): boolean {
  return isSameQuestion({ ...one, order: other.order }, other);
}

export function isSameQuestion(one: Question, other: Question): boolean {
  return (
    one.days === other.days &&
    one.cardType === other.cardType &&
    one.country === other.country &&
    one.minAmount === other.minAmount &&
    one.maxAmount === other.maxAmount &&
    one.order === other.order
  );
}

function findOrderFault(text: string): string | null {
  const words = Object.keys(ORDERS);
  return words.includes(text) ? null : `“${text}” is no order; give one of ${words.join(", ")}.`;
}
