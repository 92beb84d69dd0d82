// The page's logic without a browser.
import { expect, test } from "vitest";
import type { Hop } from "../api/types.gen";
import { bytes, cell, count, duration, hexGroups, rate } from "./format";
import { extend, KEPT, points } from "./history";
import { firstTrouble, stages } from "./stages";

const hop = (over: Partial<Hop>): Hop => ({
  id: "x", title: "x", kind: "bronze", state: "ok", count: 0, rate_per_s: 1, bytes: 0, lag_records: 0, lag_s: 0,
  rejected: 0, reasons: {}, detail: "", why: "", last_error: "", last_error_ms: 0, ...over,
});

test("numbers are short and exact where they can be", () => {
  expect([count(0), count(999999), count(1234567)]).toEqual(["0", "999,999", "1.23 M"]);
  expect([rate(0), rate(0.2), rate(1234.4)]).toEqual(["0/s", "0.2/s", "1,234/s"]);
  expect([bytes(12), bytes(1500), bytes(2.5e9)]).toEqual(["12 B", "1.5 kB", "2.5 GB"]);
  expect([duration(0.028), duration(5), duration(754), duration(7300)]).toEqual(["28 ms", "5.0 s", "12 min 34 s", "2 h 1 min"]);
});

test("cells show null, nested values and text", () => {
  expect([cell(null), cell({ a: 1 }), cell("x"), cell(false)]).toEqual(["null", '{"a":1}', "x", "false"]);
  expect(hexGroups("0a0b0c")).toBe("0a0b 0c");
});

test("history is bounded and forgets hops that are gone", () => {
  let history = {};
  for (let i = 0; i < KEPT + 10; ++i) history = extend(history, [hop({ id: "a" }), hop({ id: "b" })]);
  history = extend(history, [hop({ id: "a", rate_per_s: 7 })]);
  expect(Object.keys(history)).toEqual(["a"]);
  expect((history as Record<string, number[]>).a).toHaveLength(KEPT);
});

test("a line needs two samples that are not all zero and ends at the right edge", () => {
  expect([points([1], 100, 20), points([0, 0, 0], 100, 20)]).toEqual(["", ""]);
  expect(points([0, 10], 100, 20).split(" ").at(-1)).toMatch(/^100\.0,/);
});

test("rejected hangs below decoded and empty stages are left out", () => {
  const columns = stages([hop({ kind: "served" }), hop({ kind: "rejected" }), hop({ kind: "decoded" })]);
  expect(columns.map((stage) => [stage.kind, stage.hops.length])).toEqual([["decoded", 2], ["served", 1]]);
});

test("an error is told before an empty hop", () => {
  const trouble = firstTrouble([hop({ id: "e", state: "empty" }), hop({ id: "s", state: "error" })]);
  expect(trouble?.id).toBe("s");
});
