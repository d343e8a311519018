// What a person can choose from: the card types and countries that the charts' answers have shown and that can be asked
// for. It asks for nothing more.
import { useMemo, useRef } from "preact/hooks";

import { needByCountry } from "./chart/need.ts";
import { useSummary } from "./chart/useSummary.ts";
import { useTimeline } from "./chart/useTimeline.ts";
import { findCardTypeFault, findCountryFault } from "./fault.ts";
import type { Question } from "./question.ts";

/** Until it is known what occurs; and the order of those that do. */
const COMMON = ["Visa", "Mastercard", "Amex", "Maestro", "Discover"];
/** More would fill the page. */
const MOST_CARD_TYPES = 12;

export type Choices = { readonly cardTypes: readonly string[]; readonly countries: readonly string[] };

/** Gives the choices: a card type that was shown once stays where it is, countries stand by their frequency. */
export function useChoices(question: Question): Choices {
  const { timeline } = useTimeline(question);
  const { summary } = useSummary(needByCountry(question), question);
  const seen = useRef<readonly string[]>([]);
  const cardTypes = useMemo(() => {
    const cards = timeline.cards
      .flatMap(({ card }) => card ?? [])
      .filter((card) => findCardTypeFault(card) === null);
    seen.current = [...new Set([...seen.current, ...cards])].slice(0, MOST_CARD_TYPES).sort(compareCards);
    return seen.current.length === 0 ? COMMON : seen.current;
  }, [timeline]);
  const countries = useMemo(
    () =>
      (summary?.groups ?? [])
        .flatMap(({ country }) => country ?? [])
        .filter((country) => findCountryFault(country) === null),
    [summary],
  );
  return { cardTypes, countries };
}

function compareCards(one: string, other: string): number {
  return rank(one) - rank(other) || one.localeCompare(other);
}

function rank(cardType: string): number {
  const place = COMMON.indexOf(cardType);
  return place < 0 ? COMMON.length : place;
}
