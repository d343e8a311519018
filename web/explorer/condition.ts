// The conditions of a query in words, each with the change that removes it.
import { formatCountry } from "./country.ts";
import { formatPeriod } from "./format.ts";
import { DEFAULT_QUESTION, type Question } from "./question.ts";

export type Condition = { readonly text: string; readonly without: Partial<Question> };

/** Lists the conditions that differ from the default query. */
export function listConditions(question: Question): readonly Condition[] {
  const { days, cardType, country, minAmount, maxAmount } = question;
  const conditions: Condition[] = [];
  if (days !== DEFAULT_QUESTION.days) {
    conditions.push({ text: formatPeriod(days), without: { days: DEFAULT_QUESTION.days } });
  }
  if (cardType !== null) {
    conditions.push({ text: cardType, without: { cardType: null } });
  }
  if (country !== null) {
    conditions.push({ text: formatCountry(country), without: { country: null } });
  }
  if (minAmount !== null || maxAmount !== null) {
    conditions.push({ text: formatRange(minAmount, maxAmount), without: { minAmount: null, maxAmount: null } });
  }
  return conditions;
}

/** Lists changes that would find more, smallest first; empty if the query already covers everything. */
export function listWider(question: Question): readonly Condition[] {
  const narrow = listConditions(question).filter(({ without }) => !("days" in without));
  const wider = narrow.map(({ text, without }) => ({ text: `Without ${text}`, without }));
  if (question.days !== null && question.days < 365) {
    wider.push({ text: "The last 365 days", without: { days: 365 } });
  }
  return question.days === null ? wider : [...wider, { text: "All time", without: { days: null } }];
}

function formatRange(minAmount: string | null, maxAmount: string | null): string {
  if (minAmount === null) {
    return `up to ${maxAmount}`;
  }
  return maxAmount === null ? `from ${minAmount}` : `${minAmount} to ${maxAmount}`;
}
