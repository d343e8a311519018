// The field for the window: the usual ones can be clicked, any other can be typed as a number of days.
import { formatCount } from "./format.ts";
import type { Fault } from "./question.ts";
import { TextField } from "./TextField.tsx";

const PRESETS: readonly (readonly [number | null, string, string])[] = [
  [1, "24 h", "Last 24 hours"],
  [7, "7 d", "Last 7 days"],
  [30, "30 d", "Last 30 days"],
  [90, "90 d", "Last 90 days"],
  [365, "1 y", "Last 365 days"],
  [null, "All", "All time"],
];

type DaysFieldProps = {
  readonly days: number | null;
  readonly fault: Fault | undefined;
  readonly onPick: (days: number | null) => void;
  readonly onEnter: (text: string) => void;
};

export function DaysField({ days, fault, onPick, onEnter }: DaysFieldProps) {
  return (
    <fieldset class="group">
      <legend>Period</legend>
      <div class="choices six">
        {PRESETS.map(([preset, short, name]) => (
          <button
            key={name}
            type="button"
            class="choice"
            // Speech input users say the visible label, so the name must contain it (WCAG 2.2, 2.5.3).
            aria-label={`${short}: ${name}`}
            aria-pressed={preset === days}
            onClick={() => onPick(preset)}
          >
            {short}
          </button>
        ))}
      </div>
      <TextField
        id="days"
        label="Last days"
        inputMode="numeric"
        placeholder={days === null ? "all" : formatCount(days)}
        value={days === null ? "" : String(days)}
        fault={fault}
        onEnter={onEnter}
      />
    </fieldset>
  );
}
