import { expect, test } from "vitest";

import { judgeEnd } from "./liveEnd.ts";

function fail(code: string): unknown {
  return [{ message: "Words of the gateway.", extensions: { code } }];
}

test.each(["DATABASE_UNAVAILABLE", "LIVE_TOO_SLOW", "DRAINING", "TOO_MANY_REQUESTS"])("%s passes", (code) => {
  expect(judgeEnd(fail(code))).toEqual({ kind: "retry" });
});

test.each(["LIVE_UNAVAILABLE", "LIVE_TOO_MANY", "FORBIDDEN"])("%s is told and not tried again", (code) => {
  expect(judgeEnd(fail(code))).toEqual({ kind: "refuse", reason: "Words of the gateway." });
});

test("an event that is not known any more is forgotten", () => {
  expect(judgeEnd(fail("LIVE_EVENT_UNKNOWN"))).toEqual({ kind: "forget" });
});

test("credentials that were not accepted are told in the gateway's words", () => {
  expect(judgeEnd({ code: 4403, reason: "No." })).toEqual({ kind: "refuse", reason: "No." });
  expect(judgeEnd({ code: 4403, reason: "" })).toMatchObject({ kind: "refuse" });
});

test.each([1001, 1006, 1012, 1013, 4408, 4499])("a connection that was closed with %i is tried again", (code) => {
  expect(judgeEnd({ code, reason: "" })).toEqual({ kind: "retry" });
});

test.each([undefined, null, new Error("no network"), {}])("what says nothing of a refusal is tried again", (cause) => {
  expect(judgeEnd(cause)).toEqual({ kind: "retry" });
});
