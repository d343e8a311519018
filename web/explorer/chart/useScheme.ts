// Tells when colours may have changed, for what is drawn on a canvas and not styled.
import { useEffect, useState } from "preact/hooks";

const QUERIES = ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-contrast: more)"];

/** Gives a number that is another one after each change. */
export function useScheme(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const note = (): void => setVersion((last) => last + 1);
    const queries = QUERIES.map((query) => matchMedia(query));
    queries.forEach((query) => query.addEventListener("change", note));
    return () => queries.forEach((query) => query.removeEventListener("change", note));
  }, []);
  return version;
}
