// Lets Escape dismiss content shown on hover or focus, wherever the focus is (WCAG 1.4.13).
import { useEffect } from "preact/hooks";

export function useEscape(isShown: boolean, hide: () => void): void {
  useEffect(() => {
    if (!isShown) {
      return undefined;
    }
    const listen = (event: KeyboardEvent): void => {
      if (event.key === "Escape") {
        hide();
      }
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [isShown]);
}
