// Measures the visible part of a scrolled element when its size or scroll position changes.
import type { RefObject } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

export type View = { readonly top: number; readonly width: number; readonly height: number };

const UNSEEN: View = { top: 0, width: 0, height: 0 };

/** Returns the view of a scroller, and its `onScroll` handler, which causes at most one rendering per frame. */
export function useView(scroller: RefObject<HTMLElement | null>): readonly [View, () => void] {
  const [view, setView] = useState(UNSEEN);
  const [frame] = useState<{ id: number | null }>({ id: null });

  const measure = useCallback(() => {
    frame.id = null;
    const element = scroller.current;
    if (element !== null) {
      setView({ top: element.scrollTop, width: element.clientWidth, height: element.clientHeight });
    }
  }, [frame, scroller]);
  const onScroll = useCallback(() => {
    frame.id ??= requestAnimationFrame(measure);
  }, [frame, measure]);

  useEffect(() => {
    // It also reports the first size, after the browser's layout: reading it earlier would force a synchronous layout.
    const observer = new ResizeObserver(measure);
    if (scroller.current !== null) {
      observer.observe(scroller.current);
    }
    return () => {
      observer.disconnect();
      if (frame.id !== null) {
        cancelAnimationFrame(frame.id);
        frame.id = null;
      }
    };
  }, [frame, measure, scroller]);
  return [view, onScroll];
}
