import { beforeEach, expect, test, vi } from "vitest";

import type { Need, Summary } from "./need.ts";
import { AnswerStore } from "./store.ts";

const EMPTY: Summary = { omitted: 0, groups: [] };
type Call = { need: Need; signal: AbortSignal; resolve: (summary: Summary) => void; reject: (error: Error) => void };

let calls: Call[] = [];
let store: AnswerStore;

function need(days: number): Need {
  return { document: "query", variables: { filter: { days } } };
}

function ignore(): void {}

/** Lets pending promises continue. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  calls = [];
  store = new AnswerStore(
    (asked, signal) => new Promise((resolve, reject) => calls.push({ need: asked, signal, resolve, reject })),
  );
});

test("what two charts need alike is asked once, and both are told", async () => {
  const told: string[] = [];
  store.subscribe(need(1), () => told.push("one"));
  store.subscribe(need(1), () => told.push("other"));
  expect(calls).toHaveLength(1);
  calls[0]?.resolve(EMPTY);
  await settle();
  expect(told).toEqual(["one", "other"]);
  expect(store.get(need(1))).toEqual({ summary: EMPTY, phase: "ready", error: null });
});

test("what nobody shows any more is not asked to the end", () => {
  const [one, other] = [store.subscribe(need(1), () => {}), store.subscribe(need(1), () => {})];
  one();
  expect(calls[0]?.signal.aborted).toBe(false);
  other();
  expect(calls[0]?.signal.aborted).toBe(true);
});

test("after two seconds it is told that it takes long", async () => {
  store.subscribe(need(1), ignore);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(store.get(need(1)).phase).toBe("slow");
});

test("two are asked at a time, and the third when one has ended, however it ended", async () => {
  for (const days of [1, 2, 3]) {
    store.subscribe(need(days), ignore);
  }
  expect(calls).toHaveLength(2);
  calls[0]?.reject(new Error("no"));
  await settle();
  expect(calls.map((call) => call.need.variables.filter.days)).toEqual([1, 2, 3]);
  expect(store.get(need(1)).phase).toBe("failed");
});

test("what was cancelled can be asked again, and its late answer is not taken", async () => {
  store.subscribe(need(1), ignore);
  store.cancel(need(1));
  expect(store.get(need(1)).phase).toBe("cancelled");
  store.again(need(1));
  calls[0]?.resolve({ omitted: 1, groups: [] });
  await settle();
  expect(store.get(need(1)).phase).toBe("asking");
  calls[1]?.resolve(EMPTY);
  await settle();
  expect(store.get(need(1)).summary).toBe(EMPTY);
});

test("a refresh is silent: what is shown stays until there is something newer, and though it fails", async () => {
  store.subscribe(need(1), ignore);
  calls[0]?.resolve(EMPTY);
  await settle();
  store.refresh();
  store.refresh();
  await settle();
  expect(calls).toHaveLength(2);
  expect(store.get(need(1)).phase).toBe("ready");
  calls[1]?.reject(new Error("no"));
  await settle();
  expect(store.get(need(1))).toEqual({ summary: EMPTY, phase: "ready", error: null });
});

test("what takes long is refreshed seldom, but after the last refresh that was asked for", async () => {
  store.subscribe(need(1), ignore);
  await vi.advanceTimersByTimeAsync(1_000);
  calls[0]?.resolve(EMPTY);
  await settle();
  store.refresh();
  await vi.advanceTimersByTimeAsync(8_999);
  expect(calls).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls).toHaveLength(2);
});

test("what nobody shows any more is not refreshed either", async () => {
  const unsubscribe = store.subscribe(need(1), ignore);
  calls[0]?.resolve(EMPTY);
  await settle();
  store.refresh();
  unsubscribe();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toHaveLength(1);
});

test("a refresh that comes while it is being asked is not forgotten", async () => {
  store.subscribe(need(1), ignore);
  store.refresh();
  calls[0]?.resolve(EMPTY);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(calls).toHaveLength(2);
});
