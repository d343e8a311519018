// Which rows of a long table stand in the document: arithmetic on heights in CSS pixels alone.

/** Browsers draw no taller element; Firefox's limit is the lowest, 17.9 million. */
const MAX_HEIGHT = 16_000_000;
/** Rows beyond the edges, so that a scroll finds them there. */
const OVERSCAN = 12;

/** The rows from `first` up to but without `end`. */
export type RowWindow = { readonly first: number; readonly end: number };

export function limitRows(rowCount: number, rowHeight: number): number {
  return Math.min(rowCount, Math.floor(MAX_HEIGHT / rowHeight));
}

export function buildRowWindow(scrollTop: number, viewHeight: number, rowHeight: number, rowCount: number): RowWindow {
  const top = Math.max(0, scrollTop);
  const first = Math.max(0, Math.min(rowCount, Math.floor(top / rowHeight)) - OVERSCAN);
  const end = Math.min(rowCount, Math.ceil((top + viewHeight) / rowHeight) + OVERSCAN);
  return { first, end: Math.max(first, end) };
}

/** Gives the nearest scroll position at which a row is wholly seen. */
export function revealRow(row: number, scrollTop: number, viewHeight: number, rowHeight: number): number {
  const top = row * rowHeight;
  return Math.min(top, Math.max(scrollTop, top + rowHeight - viewHeight));
}

/** Gives the row that a key leads to from the active one, null for a key that leads nowhere. */
export function moveRow(key: string, active: number, rowCount: number, viewHeight: number, rowHeight: number): number | null {
  const page = Math.max(1, Math.floor(viewHeight / rowHeight) - 1);
  const target = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: rowCount - 1 }[key];
  return target === undefined ? null : Math.max(0, Math.min(rowCount - 1, target));
}
