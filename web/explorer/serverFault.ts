// The gateway's judgement on a condition, for the field that it is about. The page itself judges before it asks, but
// the gateway knows more: which three letters are a country, say.
import { AskError } from "./api.ts";
import type { Faults, Field, Question } from "./question.ts";

const FIELD_OF: Readonly<Record<string, Field>> = {
  INVALID_DAYS: "days",
  INVALID_CARD_TYPE: "card",
  INVALID_COUNTRY: "country",
  INVALID_AMOUNT: "min",
};

/** Whether a question was refused for one of its conditions, as its field tells. */
export function isFieldFault(error: unknown): boolean {
  return error instanceof AskError && error.code !== null && error.code in FIELD_OF;
}

/** Gives the fault of an answer that was refused for one of its conditions; none for another error. */
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
