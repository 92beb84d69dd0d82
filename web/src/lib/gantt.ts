// A run in time: a row a task, a bar a try, the wait before it, and marks on the axis.
import type { TaskState, WorkflowInstance, WorkflowRun } from "../api/types.gen";
import { duration } from "./format";
import { together } from "./workflows";

export interface GanttBar {
  index: number;
  try_number: number;
  state: TaskState;
  /** Parts of the whole, 0 … 1. */
  waited: number;
  from: number;
  to: number;
  seconds: number;
  why: string;
}
export interface GanttRow {
  task: string;
  state: TaskState;
  instances: number;
  bars: GanttBar[];
}
export interface Gantt {
  rows: GanttRow[];
  marks: { at: number; text: string }[];
  /** What it spans, in seconds. */
  seconds: number;
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/** Marks at round durations, at most `most` of them. */
export function marks(seconds: number, most = 7): { at: number; text: string }[] {
  const step = STEPS.find((one) => seconds / one <= most) ?? Math.ceil(seconds / most / 86400) * 86400;
  const found: { at: number; text: string }[] = [];
  for (let i = 0; i * step <= seconds + 1e-9; ++i) found.push({ at: seconds ? (i * step) / seconds : 0, text: i ? duration(i * step) : "0" });
  return found;
}

/** `order`: the rows that come first, by their tasks; others come after them. */
export function ganttOf(run: WorkflowRun, instances: WorkflowInstance[], order: string[], now_ms: number): Gantt {
  const ends = (ms: number) => ms || now_ms;
  const begin = run.started_ms || run.queued_ms;
  const last = Math.max(begin + 100, ends(run.ended_ms), ...instances.map((one) => one.ended_ms));
  const span = last - begin;
  const part = (ms: number) => Math.min(1, Math.max(0, (ms - begin) / span));
  const rows = new Map<string, GanttRow & { states: Record<string, number> }>();
  const place = new Map(order.map((task, i) => [task, i]));
  const at = (task: string) => place.get(task) ?? order.length;
  for (const one of instances.toSorted((a, b) => at(a.task) - at(b.task) || a.map_index - b.map_index)) {
    const row = rows.get(one.task) ?? { task: one.task, state: "none", instances: 0, bars: [], states: {} };
    rows.set(one.task, row);
    row.instances += 1;
    row.states[one.state] = (row.states[one.state] ?? 0) + 1;
    const tries = one.tries.length
      ? one.tries
      : one.started_ms ? [{ number: one.try_number, state: one.state, started_ms: one.started_ms, ended_ms: one.ended_ms, why: "" }] : [];
    for (const each of tries) {
      if (!each.started_ms) continue;
      const newest = each.number === one.try_number;
      const waitedFrom = newest && one.scheduled_ms && one.scheduled_ms <= each.started_ms ? one.scheduled_ms : each.started_ms;
      const over = each.ended_ms || (newest ? one.ended_ms : 0);
      row.bars.push({
        index: one.map_index, try_number: each.number, state: newest ? one.state : each.state, why: each.why,
        waited: part(waitedFrom), from: part(each.started_ms), to: part(ends(over)), seconds: (ends(over) - each.started_ms) / 1000,
      });
    }
  }
  return {
    rows: [...rows.values()].map(({ states, ...row }) => ({ ...row, state: together(states) })),
    marks: marks(span / 1000), seconds: span / 1000,
  };
}
