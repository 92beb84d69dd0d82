// The logic of workflows' pages without a browser.
import { expect, test } from "vitest";
import type { WorkflowCell, WorkflowGroup, WorkflowInstance, WorkflowRun, WorkflowTask } from "../api/types.gen";
import { ganttOf, marks } from "./gantt";
import { graphOf } from "./graph";
import { answersOf, confOf, fieldsOf, Problem, valueOf } from "./params";
import { away, cellWords, everyWords, gridRows, mergedCell, reach, scheduleWords, tally, together } from "./workflows";

const task = (name: string, group: string, downstream: string[], over: Partial<WorkflowTask> = {}): WorkflowTask => ({
  name, title: name, group, operator: "BashOperator", doc: "", mapped: false, setup: false, teardown: false,
  trigger_rule: "all_success", retries: 0, pool: "default_pool", downstream, outlets: [], ...over,
});
const group = (name: string, parent = ""): WorkflowGroup => ({ name, parent, title: name, tooltip: "", mapped: false });
const cell = (states: Record<string, number>, started_ms = 0, ended_ms = 0, tries = 1): WorkflowCell => ({ states, tries, started_ms, ended_ms });

const TASKS = [
  task("first", "", ["load.big", "load.checks.sums"]), task("load.big", "load", ["last"]), task("load.checks.sums", "load.checks", ["last"]),
  task("last", "", []),
];
const GROUPS = [group("load"), group("load.checks", "load")];

test("what stands for many states is what went wrong, then what goes on, then what is done", () => {
  expect(together({ success: 4, failed: 1, running: 2 })).toBe("failed");
  expect(together({ success: 4, running: 1, none: 2 })).toBe("running");
  expect(together({ success: 4, none: 2 })).toBe("running");
  expect(together({ success: 4, skipped: 2 })).toBe("success");
  expect([together({ none: 3 }), together({})]).toEqual(["none", "none"]);
  expect(tally({ success: 2, upstream_failed: 1 })).toBe("1 upstream failed, 2 success");
});

test("rows of the grid stand below their groups, and a folded group is one row", () => {
  const row = (kind: string) => (one: ReturnType<typeof gridRows>[number]) => one.kind === kind;
  const open = gridRows(TASKS, GROUPS, new Set());
  expect(open.map((one) => [one.depth, one.title])).toEqual(
    [[0, "first"], [0, "load"], [1, "big"], [1, "checks"], [2, "sums"], [0, "last"]]);
  expect(open.find((one) => one.name === "load")?.tasks).toEqual(["load.big", "load.checks.sums"]);
  const folded = gridRows(TASKS, GROUPS, new Set(["load"]));
  expect(folded.map((one) => one.name)).toEqual(["first", "load", "last"]);
  expect(folded.filter(row("group"))[0]).toMatchObject({ folded: true, tasks: ["load.big", "load.checks.sums"] });
});

test("cells of several tasks are one, which is over when all are", () => {
  const cells = { a: cell({ success: 1 }, 1000, 3000), b: cell({ running: 1, success: 2 }, 2000, 0, 3) };
  expect(mergedCell(cells, ["a", "b", "gone"])).toEqual(
    { state: "running", states: { success: 3, running: 1 }, count: 4, tries: 3, started_ms: 1000, ended_ms: 0 });
  expect(mergedCell(cells, ["gone"])).toBeNull();
  expect(cellWords("a", mergedCell(cells, ["a"]), 0)).toBe("a: success, 2.0 s");
  expect(cellWords("b", mergedCell(cells, ["b"]), 62_000)).toBe("b: 1 running, 2 success, 1 min 0 s, 3 tries");
});

test("schedules and times are words", () => {
  expect([everyWords("0:00:06"), everyWords("1 day, 0:00:00"), everyWords("2 days, 1:30:00")]).toEqual(["Every 6 s", "Every day", "Every 2 days 1 h 30 min"]);
  expect(everyWords("0 0 * * *")).toBeNull();
  const words = (schedule: string, schedule_words: string, assets = "") => scheduleWords({ schedule, schedule_words, assets });
  expect(words("", "")).toBe("Only when asked");
  expect(words("None", "", "s3://a & s3://b")).toBe("When s3://a & s3://b changes");
  expect(words("0 0 * * *", "At 00:00", "s3://a")).toBe("At 00:00, and when s3://a changes");
  expect([away(65_000, 0), away(0, 3_600_000 * 3), away(500, 0)]).toEqual(["in 1 min 5 s", "3 h 0 min ago", "now"]);
});

test("what comes after a task and before it is found near and far", () => {
  expect([...reach(TASKS, "first", true)].toSorted()).toEqual(["last", "load.big", "load.checks.sums"]);
  expect([...reach(TASKS, "last", false)].toSorted()).toEqual(["first", "load.big", "load.checks.sums"]);
});

test("the graph goes from left to right, within its groups, and has every edge", () => {
  const graph = graphOf(TASKS, GROUPS, new Set());
  const node = (name: string) => graph.nodes.find((one) => one.name === name)!;
  expect(graph.nodes.map((one) => one.name).toSorted()).toEqual(TASKS.map((one) => one.name).toSorted());
  for (const one of TASKS) {
    for (const after of one.downstream) {
      expect(node(one.name).x + node(one.name).width).toBeLessThan(node(after).x);
      expect(graph.edges.some((edge) => edge.from === one.name && edge.to === after)).toBe(true);
    }
  }
  expect(graph.edges).toHaveLength(4);
  const frame = graph.frames.find((one) => one.name === "load")!;
  for (const name of ["load.big", "load.checks.sums"]) {
    expect(node(name).x).toBeGreaterThan(frame.x);
    expect(node(name).x + node(name).width).toBeLessThan(frame.x + frame.width);
    expect(node(name).y).toBeGreaterThan(frame.y);
  }
  expect(graph.frames.map((one) => one.name)).toEqual(["load", "load.checks"]);
});

test("a folded group is one node with the edges of what is in it, each once", () => {
  const graph = graphOf(TASKS, GROUPS, new Set(["load"]));
  expect(graph.edges.map((edge) => `${edge.from} ${edge.to}`).toSorted()).toEqual(["first load", "load last"]);
  expect(graph.nodes.find((one) => one.name === "load")).toMatchObject({ kind: "group", tasks: ["load.big", "load.checks.sums"] });
  expect(graph.frames).toEqual([]);
});

test("a hundred tasks that nothing joins, and none, are laid out too", () => {
  const many = Array.from({ length: 100 }, (_, i) => task(`t${i}`, "", []));
  expect(graphOf(many, [], new Set()).nodes).toHaveLength(100);
  expect(graphOf([], [], new Set())).toMatchObject({ nodes: [], edges: [], frames: [] });
});

const RUN = { started_ms: 10_000, ended_ms: 20_000, queued_ms: 9000 } as WorkflowRun;
const instance = (over: Partial<WorkflowInstance>): WorkflowInstance => ({
  task: "a", map_index: -1, state: "success", try_number: 1, max_tries: 0, scheduled_ms: 0, queued_ms: 0, started_ms: 0, ended_ms: 0,
  next_ms: 0, note: "", waits: [], tries: [], ...over,
});

test("each try is a bar at its place, and mapped instances share a row", () => {
  const tries = [
    { number: 1, state: "failed" as const, started_ms: 11_000, ended_ms: 12_000, why: "no" },
    { number: 2, state: "running" as const, started_ms: 15_000, ended_ms: 20_000, why: "" },
  ];
  const gantt = ganttOf(RUN, [
    instance({ task: "b", map_index: 0, started_ms: 10_000, ended_ms: 11_000 }), instance({ task: "b", map_index: 1, state: "none" }),
    instance({ try_number: 2, scheduled_ms: 14_000, tries }),
  ], ["a", "b"], 99_000);
  expect(gantt.rows.map((row) => [row.task, row.state, row.instances, row.bars.length])).toEqual([["a", "success", 1, 2], ["b", "running", 2, 1]]);
  expect(gantt.rows[0]!.bars[0]).toMatchObject({ state: "failed", from: 0.1, to: 0.2, waited: 0.1, seconds: 1, why: "no" });
  expect(gantt.rows[0]!.bars[1]).toMatchObject({ state: "success", from: 0.5, to: 1, waited: 0.4 });
  expect(ganttOf({ ...RUN, ended_ms: 0 }, [instance({ state: "running", started_ms: 10_000 })], [], 30_000).rows[0]!.bars[0]).toMatchObject({ from: 0, to: 1, seconds: 20 });
});

test("marks on the axis are at round durations", () => {
  expect(marks(10).map((mark) => mark.text)).toEqual(["0", "2.0 s", "4.0 s", "6.0 s", "8.0 s", "10 s"]);
  expect(marks(86400 * 30).length).toBeLessThanOrEqual(8);
});

const FIELDS = fieldsOf({
  shop: { value: "oslo", description: "which", schema: { type: "string", minLength: 2, title: "Shop" } },
  days: { value: 3, schema: { type: "integer", minimum: 1, maximum: 9 } },
  mode: { value: "quick", schema: { enum: ["quick", "whole", null], values_display: { whole: "All of it" } } },
  dry: { value: true, schema: { type: "boolean" } },
  since: { value: "2026-01-01", schema: { type: "string", format: "date" } },
  at: { value: "2026-01-01T05:00:00+00:00", schema: { type: "string", format: "date-time" } },
  kinds: { value: ["a", "b"], schema: { type: "array", section: "Rare" } },
  some: { value: [2], schema: { type: "array", examples: [1, 2, 3] } },
  limit: { value: null, schema: { type: ["null", "number"] } },
  deep: { value: { a: [1] }, schema: { type: "object" } },
  fixed: { value: 7, schema: { const: 7 } },
  must: { schema: { type: "string" } },
  bare: 5,
});
const field = (name: string) => FIELDS.find((one) => one.name === name)!;

test("each param is asked for by its schema", () => {
  expect(Object.fromEntries(FIELDS.map((one) => [one.name, one.kind]))).toEqual({
    shop: "text", days: "number", mode: "choice", dry: "flag", since: "date", at: "datetime", kinds: "lines", some: "choices", limit: "number",
    deep: "json", fixed: "fixed", must: "text", bare: "number",
  });
  expect([field("shop").title, field("shop").help, field("kinds").section]).toEqual(["Shop", "which", "Rare"]);
  expect(field("mode").choices.map((choice) => choice.text)).toEqual(["quick", "All of it", "none"]);
});

test("untouched answers make the values that the file gives", () => {
  const { answers, beside } = answersOf(FIELDS, { must: "x", extra: 1 });
  expect(beside).toEqual({ extra: 1 });
  expect(confOf(FIELDS, answers, beside)).toEqual({ problems: {}, conf: {
    shop: "oslo", days: 3, mode: "quick", dry: true, since: "2026-01-01", at: "2026-01-01T05:00:00Z", kinds: ["a", "b"], some: [2], limit: null,
    deep: { a: [1] }, fixed: 7, must: "x", bare: 5, extra: 1,
  } });
});

test("a wrong answer is told, by its field", () => {
  const { answers } = answersOf(FIELDS, {});
  expect(confOf(FIELDS, { ...answers, days: "12", shop: "o", deep: "{", bare: "x" }, {}).problems).toEqual(
    { days: "at most 9", shop: "at least 2 characters", deep: "this is no JSON", bare: "give a number", must: "give a text" });
  expect(() => valueOf(field("days"), "2.5")).toThrow(Problem);
  expect([valueOf(field("limit"), ""), valueOf(field("limit"), "2.5"), valueOf(field("mode"), "2")]).toEqual([null, 2.5, null]);
});
