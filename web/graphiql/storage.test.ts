import { beforeEach, expect, test, vi } from "vitest";

import { storage } from "./storage";

const kept = new Map<string, string>();
beforeEach(() => {
  kept.clear();
  vi.stubGlobal("localStorage", { setItem: (key: string, value: string) => kept.set(key, value) });
});

test.each(["4111111111111111", "4111-1111-1111-1111", "4111 1111 1111 1111", `txgw_${"0".repeat(8)}_${"f".repeat(64)}`])(
  "%s is not kept",
  (secret) => {
    storage.setItem("graphiql:tabState", `{"query":"{ a(b: \\"${secret}\\") }"}`);
    expect(kept.get("graphiql:tabState")).toBe('{"query":"{ a(b: \\"************\\") }"}');
  },
);

test("the history keeps no headers", () => {
  storage.setItem("graphiql:queries", '{"queries":[{"query":"{ a }","headers":"{\\"X\\":\\"y\\"}"}]}');
  expect(kept.get("graphiql:queries")).toBe('{"queries":[{"query":"{ a }"}]}');
});
