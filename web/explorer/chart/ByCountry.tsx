// The number of transactions of each country; a click picks a country.
import { formatCountry } from "../country.ts";
import { findCountryFault } from "../fault.ts";
import { Bars } from "./Bars.tsx";
import { Frame, type ChartProps } from "./Frame.tsx";
import { needByCountry } from "./need.ts";
import { useSummary } from "./useSummary.ts";

const MOST = 12;

export function ByCountry({ question, onPick }: ChartProps) {
  const view = useSummary(needByCountry(question), question);
  const groups = view.summary?.groups ?? [];
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  const bars = groups.map(({ country, count }) => {
    if (!country) {
      return { key: JSON.stringify(country), name: "No country", count };
    }
    if (findCountryFault(country) !== null) {
      return { key: country, name: country, count }; // exists in the data, but is not a valid filter
    }
    const isPicked = country === question.country;
    const pick = (): void => onPick({ country: isPicked ? null : country });
    return { key: country, name: formatCountry(country), count, isPicked, pick };
  });
  return (
    <Frame {...{ question, onPick, view, total }} title="By country" name="country">
      <Bars bars={bars} total={total} most={MOST} />
    </Frame>
  );
}
