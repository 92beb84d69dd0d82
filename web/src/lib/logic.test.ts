// The page's logic without a browser.
import { expect, test } from "vitest";
import type { Hop } from "../api/types.gen";
import { bytes, cell, count, duration, hexGroups, rate } from "./format";
import { sideBySide } from "./diff";
import { extend, KEPT, points } from "./history";
import { brief, lagStory, matching, openRecords, readable, sortTopics } from "./log";
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

const text = (value: string) => ({ text: value, hex: "", is_text: true, size_bytes: value.length });

test("JSON is indented with every digit kept, other text stays, bytes are hex", () => {
  expect(readable(text('{"n":9007199254740993,"d":1.0,"a":[],"b":[1,{"c":"x,\\"{y"}]}'))).toBe(
    '{\n  "n": 9007199254740993,\n  "d": 1.0,\n  "a": [],\n  "b": [\n    1,\n    {\n      "c": "x,\\"{y"\n    }\n  ]\n}',
  );
  expect(readable(text("{not json"))).toBe("{not json");
  expect(readable({ text: "", hex: "0a0b0c", is_text: false, size_bytes: 3 })).toBe("0a0b 0c");
  expect(readable(undefined)).toBe("null");
  expect(brief(text('{\n  "a": 1 }'))).toBe('{ "a": 1 }');
});

test("topics are sorted by any column and found by a part of their name", () => {
  const topic = (name: string, records: number) =>
    ({ name, records, internal: false, partitions: 1, bytes: 0, records_per_s: 0, bytes_per_s: 0 });
  const all = [topic("b", 1), topic("C", 5), topic("a", 5)];
  const names = (topics: { name: string }[]) => topics.map((one) => one.name).join("");
  expect(names(sortTopics(all, "name", false))).toBe("Cab");
  expect(names(sortTopics(all, "records", false))).toBe("Cab");
  expect(names(sortTopics(all, "records", true))).toBe("baC");
  expect(names(matching(all, "c"))).toBe("C");
});

test("how the lag moved is said in words", () => {
  const history = (...lags: number[]) => lags.map((lag, i) => ({ time_ms: i * 5000, lag }));
  expect(lagStory(history(5))).toContain("begins soon");
  expect(lagStory(history(0, 0, 0))).toBe("No lag in the last 10 s.");
  expect(lagStory(history(10, 80, 2))).toBe("In the last 10 s the lag shrank from 10 to 2; at most it was 80.");
  expect(lagStory(history(3, 9, 3))).toBe("In the last 10 s the lag is again what it was, 3; at most it was 9.");
});

test("records in flight say where they are, how often they were delivered and with whom they are", () => {
  const member = { id: "m1", instance: "", client_id: "picker", host: "", assigned: [], active_tasks: [], standby_tasks: [], warmup_tasks: [] };
  const part = (first: number, last: number, state: "acquired" | "available", delivery_count: number, member: string) =>
    ({ first, last, state, delivery_count, member });
  const offset = (in_flight: ReturnType<typeof part>[]) =>
    ({ topic: "jobs", partition: 2, committed: 0, end: 900, lag: 900, metadata: "", member: "", in_flight });
  const shown = openRecords([offset([part(3, 3, "acquired", 1, "m1"), part(4, 9, "available", 2, "")])], [member]);
  expect(shown).toEqual({ more: 0, rows: [
    { place: "jobs-2@3", state: "acquired", times: 1, client: "picker" },
    { place: "jobs-2@4 to 9", state: "available", times: 2, client: "" },
  ] });
  const many = openRecords([offset(Array.from({ length: 250 }, (_, i) => part(2 * i, 2 * i, "acquired", 1, "gone")))], []);
  expect([many.rows.length, many.more, many.rows[0]?.client]).toEqual([200, 50, "gone"]);
});

test("what a schema made of bytes is shown instead of them, and bytes where it made nothing", () => {
  const bytes = { text: "", hex: "0000000001", is_text: false, size_bytes: 5 };
  const decoded = { schema_id: 1, type: "AVRO", subject: "s", version: 1, json: '{"a":1}', cut: false, why: "" };
  expect(readable({ ...bytes, decoded })).toBe('{\n  "a": 1\n}');
  expect(brief({ ...bytes, decoded })).toBe('{"a":1}');
  expect(readable({ ...bytes, decoded: { ...decoded, json: "", why: "cut off" } })).toBe("0000 0000 01");
});

const drawn = (before: string, after: string) =>
  sideBySide(before, after).map((row) => `${row.kind} ${row.left?.number ?? "-"}:${row.right?.number ?? "-"}`);

test("two texts stand side by side with what is alike on one line", () => {
  expect(drawn("a\nb\nc", "a\nb\nc")).toEqual(["same 1:1", "same 2:2", "same 3:3"]);
  expect(drawn("a\nc", "a\nb\nc")).toEqual(["same 1:1", "added -:2", "same 2:3"]);
  expect(drawn("a\nb\nc\nd", "a\nx\nd")).toEqual(["same 1:1", "changed 2:2", "removed 3:-", "same 4:3"]);
  expect(drawn("k\na\nk", "k")).toEqual(["same 1:1", "removed 2:-", "removed 3:-"]);
  expect(drawn("a\nm\nb", "c\nm\nd")).toEqual(["changed 1:1", "same 2:2", "changed 3:3"]);
});

test("a side has all of its lines in order, whatever the texts are", () => {
  let seed = 7;
  const pick = (n: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  for (let round = 0; round < 300; ++round) {
    const text = () => Array.from({ length: 1 + pick(9) }, () => "abc"[pick(3)]).join("\n");
    const [before, after] = [text(), text()];
    const rows = sideBySide(before, after);
    expect(rows.flatMap((row) => row.left?.text ?? []).join("\n")).toBe(before);
    expect(rows.flatMap((row) => row.right?.text ?? []).join("\n")).toBe(after);
    for (const row of rows) expect(row.left?.text === row.right?.text).toBe(row.kind === "same");
  }
  const long = (word: string) => Array.from({ length: 3000 }, (_, i) => `${word} ${i}`).join("\n");
  expect(sideBySide(long("old"), long("new")).every((row) => row.kind === "changed")).toBe(true);
});
