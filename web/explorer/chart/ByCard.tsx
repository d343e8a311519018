// The number of transactions of each card brand; a click picks a brand.
import { findCardTypeFault } from "../fault.ts";
import { Bars } from "./Bars.tsx";
import { Frame, type ChartProps } from "./Frame.tsx";
import { findHue } from "./hue.ts";
import { isSameCard } from "./timeline.ts";
import { useTimeline } from "./useTimeline.ts";

const MOST = 7;

export function ByCard({ question, onPick }: ChartProps) {
  const { view, timeline } = useTimeline(question);
  const bars = timeline.cards.map(({ card, name, total }) => {
    const isPicked = card !== null && isSameCard(card, question.cardType);
    const bar = { key: name, name, count: total, hue: findHue(card), isPicked };
    if (card === null || findCardTypeFault(card) !== null) {
      return bar; // exists in the data, but is not a valid filter
    }
    return { ...bar, pick: () => onPick({ cardType: isPicked ? null : card }) };
  });
  return (
    <Frame {...{ question, onPick, view }} title="By card" name="card" total={timeline.total}>
      <Bars bars={bars} total={timeline.total} most={MOST} />
    </Frame>
  );
}
