// The card types and countries to choose from: those in the charts' answers that are valid filters. It sends no extra
// requests.
import { useMemo, useRef } from "preact/hooks";

import { needByCountry } from "./chart/need.ts";
import { useSummary } from "./chart/useSummary.ts";
import { useTimeline } from "./chart/useTimeline.ts";
import { findCardTypeFault, findCountryFault } from "./fault.ts";
import type { Question } from "./question.ts";

/** Offered until the occurring card types are known; also determines their order. */
const COMMON = ["Visa", "Mastercard", "Amex", "Maestro", "Discover"];
/** More would take up the whole page. */
const MOST_CARD_TYPES = 12;

export type Choices = { readonly cardTypes: readonly string[]; readonly countries: readonly string[] };

/** Returns the choices: a card type stays once it was shown; countries are ordered by frequency. */
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
