// Assigns the gateway's error about a condition to its field. The page validates before sending, but the gateway knows
// more, for example which three letters are a country.
import { AskError } from "./api.ts";
import type { Faults, Field, Question } from "./question.ts";

const FIELD_OF: Readonly<Record<string, Field>> = {
  INVALID_DAYS: "days",
  INVALID_CARD_TYPE: "card",
  INVALID_COUNTRY: "country",
  INVALID_AMOUNT: "min",
};

/** Whether a query was refused because of one of its conditions, which its field shows. */
export function isFieldFault(error: unknown): boolean {
  return error instanceof AskError && error.code !== null && error.code in FIELD_OF;
}

/** Returns the fault of a query that was refused because of one of its conditions; none for any other error. */
export function findServerFaults(error: unknown, question: Question): Faults {
  const field = error instanceof AskError && error.code !== null ? FIELD_OF[error.code] : undefined;
  if (!(error instanceof AskError) || field === undefined) {
    return {};
  }
  const texts = {
    days: String(question.days),
    card: question.cardType,
    country: question.country,
    min: question.minAmount,
    max: question.maxAmount,
    order: question.order,
  };
  return { [field]: { text: texts[field] ?? "", message: error.message } };
}
