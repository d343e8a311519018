// How much of a scrolled element is seen, measured when its size or its position has changed.
import type { RefObject } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

export type View = { readonly top: number; readonly width: number; readonly height: number };

const UNSEEN: View = { top: 0, width: 0, height: 0 };

/** Gives the view of a scroller, and the function that its `onScroll` calls: at most one drawing a frame. */
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
    // It tells the first size too, when the browser has laid the page out: to ask before would make it do so at once.
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
