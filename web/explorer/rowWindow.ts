// Decides which rows of a long table are in the DOM: only arithmetic on heights in CSS pixels.

/** Browsers limit an element's height; Firefox's limit is the lowest, 17.9 million. */
const MAX_HEIGHT = 16_000_000;
/** Rows beyond the edges, ready for scrolling; fewer at the top, so that the first rendering is fast. */
const OVERSCAN = 12;
const FIRST_OVERSCAN = 3;

/** The rows from `first` up to, but not including, `end`. */
export type RowWindow = { readonly first: number; readonly end: number };

export function limitRows(rowCount: number, rowHeight: number): number {
  return Math.min(rowCount, Math.floor(MAX_HEIGHT / rowHeight));
}

export function buildRowWindow(scrollTop: number, viewHeight: number, rowHeight: number, rowCount: number): RowWindow {
  const top = Math.max(0, scrollTop);
  const first = Math.max(0, Math.min(rowCount, Math.floor(top / rowHeight)) - OVERSCAN);
  const end = Math.min(rowCount, Math.ceil((top + viewHeight) / rowHeight) + (top === 0 ? FIRST_OVERSCAN : OVERSCAN));
  return { first, end: Math.max(first, end) };
}

/** Returns the nearest scroll position at which a row is fully visible. */
export function revealRow(row: number, scrollTop: number, viewHeight: number, rowHeight: number): number {
  const top = row * rowHeight;
  return Math.min(top, Math.max(scrollTop, top + rowHeight - viewHeight));
}

/** Returns the row that a key leads to from the active one; null for any other key. */
export function moveRow(
  key: string,
  active: number,
  rowCount: number,
  viewHeight: number,
  rowHeight: number,
): number | null {
  const page = Math.max(1, Math.floor(viewHeight / rowHeight) - 1);
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: active + 1,
    ArrowUp: active - 1,
    PageDown: active + page,
    PageUp: active - page,
    Home: 0,
    End: rowCount - 1,
  };
  const target = moves[key];
  return target === undefined ? null : Math.max(0, Math.min(rowCount - 1, target));
}

/** A row that was visible, and its index at the time. */
export type Anchor = { readonly id: string; readonly index: number };

/** No more rows than this are ever added at once. */
const MOST_SHIFT = 1_000;

/** Returns how many rows were added above a row since it was visible; 0 if it is gone. */
export function findShift(rows: readonly { readonly id: string }[], { id, index }: Anchor): number {
  for (let shift = 0; shift <= MOST_SHIFT; shift++) {
    if (rows[index + shift]?.id === id) {
      return shift;
    }
  }
  return 0;
}
