// Which rows of a long table stand in the document: arithmetic on heights in CSS pixels alone.

/** Browsers draw no taller element; Firefox's limit is the lowest, 17.9 million. */
const MAX_HEIGHT = 16_000_000;
/** Rows beyond the edges, so that a scroll finds them there; fewer before there was any, for a first look is quick. */
const OVERSCAN = 12;
const FIRST_OVERSCAN = 3;

/** The rows from `first` up to but without `end`. */
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

/** Gives the nearest scroll position at which a row is wholly seen. */
export function revealRow(row: number, scrollTop: number, viewHeight: number, rowHeight: number): number {
  const top = row * rowHeight;
  return Math.min(top, Math.max(scrollTop, top + rowHeight - viewHeight));
}

/** Gives the row that a key leads to from the active one, null for a key that leads nowhere. */
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

/** A row that was seen, and where it stood. */
export type Anchor = { readonly id: string; readonly index: number };

/** More rows than this never come in at once. */
const MOST_SHIFT = 1_000;

/** Gives how many rows have come in above a row since it was seen; 0 where it is gone. */
export function findShift(rows: readonly { readonly id: string }[], { id, index }: Anchor): number {
  for (let shift = 0; shift <= MOST_SHIFT; shift++) {
    if (rows[index + shift]?.id === id) {
      return shift;
    }
  }
  return 0;
}
