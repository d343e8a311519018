// Reports possible changes of the colours, for canvas drawings, which styles do not reach.
import { useEffect, useState } from "preact/hooks";

const QUERIES = ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-contrast: more)"];

/** Returns a number that differs after each change. */
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
