// The vendors with the most transactions. They cannot be picked, because the filter has no vendor.
import { Bars } from "./Bars.tsx";
import { Frame, type ChartProps } from "./Frame.tsx";
import { needByVendor } from "./need.ts";
import { useSummary } from "./useSummary.ts";

export function Vendors({ question, onPick }: ChartProps) {
  const view = useSummary(needByVendor(question), question);
  const groups = view.summary?.groups ?? [];
  const bars = groups.map(({ vendor, count }) => ({ key: JSON.stringify(vendor), name: vendor || "No vendor", count }));
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  return (
    <Frame {...{ question, onPick, view, total }} title="Top vendors" name="vendor">
      <Bars bars={bars} most={bars.length} />
    </Frame>
  );
}
