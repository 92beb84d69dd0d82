// States in words and in one, the rows of the grid of runs, addresses of the pages of workflows.
import type { RunType, TaskState, WorkflowCell, WorkflowDetail, WorkflowGroup, WorkflowInfo, WorkflowInstance, WorkflowRun, WorkflowTask } from "../api/types.gen";
import { duration, time } from "./format";

/** What stands for many, the first that is among them: what went wrong before what goes on before what is done. */
const WEIGHTIEST: TaskState[] = [
  "failed", "upstream_failed", "up_for_retry", "up_for_reschedule", "running", "deferred", "queued", "scheduled",
  "none", "success", "skipped", "removed",
];
const FINISHED = new Set<string>(["success", "failed", "skipped", "upstream_failed", "removed"]);
const WORDS: Record<string, string> = {
  none: "not started", scheduled: "scheduled", queued: "queued", running: "running", success: "success", failed: "failed",
  skipped: "skipped", upstream_failed: "upstream failed", up_for_retry: "up for retry", deferred: "deferred",
  up_for_reschedule: "up for reschedule", removed: "removed",
};
const TYPES: Record<RunType, string> = {
  scheduled: "scheduled", manual: "by hand", backfill: "backfill", asset_triggered: "by an asset",
  asset_materialization: "for an asset",
};

export const stateWords = (state: string) => WORDS[state] ?? state;
export const typeWords = (type: RunType) => TYPES[type];
export const isFinished = (state: string) => FINISHED.has(state);

/** The state that stands for `states`; "none" for nothing. */
export function together(states: Record<string, number>): TaskState {
  const present = WEIGHTIEST.filter((state) => (states[state] ?? 0) > 0);
  // Between tasks nothing runs for a moment; some done and some not begun is work under way.
  if (present[0] === "none" && present.length > 1) return "running";
  return present[0] ?? "none";
}

/** "12 success, 1 failed", the weightiest first. */
export function tally(states: Record<string, number>): string {
  return WEIGHTIEST.filter((state) => states[state]).map((state) => `${states[state]} ${stateWords(state)}`).join(", ");
}

export interface GridRow {
  kind: "group" | "task";
  name: string;
  title: string;
  depth: number;
  mapped: boolean;
  folded: boolean;
  /** Tasks that its cells stand for. */
  tasks: string[];
}

/** A title without the groups before it that the row stands below already. */
function shortTitle(name: string, title: string, group: string): string {
  return group && title === name && name.startsWith(`${group}.`) ? name.slice(group.length + 1) : title;
}

/** Tasks below their groups, in the order of the tasks; what a folded group holds is left out. */
export function gridRows(tasks: WorkflowTask[], groups: WorkflowGroup[], folded: ReadonlySet<string>): GridRow[] {
  const byName = new Map(groups.map((group) => [group.name, group]));
  const chain = (name: string): WorkflowGroup[] => {
    const group = byName.get(name);
    return group ? [...chain(group.parent), group] : [];
  };
  const chains = tasks.map((task) => chain(task.group));
  const place = (depth: number, name: string, children: number[]): GridRow[] => {
    const rows: GridRow[] = [];
    const seen = new Set<string>();
    for (const i of children) {
      const task = tasks[i]!;
      const group = chains[i]![depth];
      if (!group) {
        const title = shortTitle(task.name, task.title, name);
        rows.push({ kind: "task", name: task.name, title, depth, mapped: task.mapped, folded: false, tasks: [task.name] });
      } else if (!seen.has(group.name)) {
        seen.add(group.name);
        const inside = children.filter((j) => chains[j]![depth]?.name === group.name);
        const isFolded = folded.has(group.name);
        rows.push({
          kind: "group", name: group.name, title: shortTitle(group.name, group.title, name), depth, mapped: group.mapped,
          folded: isFolded, tasks: inside.map((j) => tasks[j]!.name),
        });
        if (!isFolded) rows.push(...place(depth + 1, group.name, inside));
      }
    }
    return rows;
  };
  return place(0, "", tasks.map((_, i) => i));
}

/** Tasks that runs had and the file has no more. */
export function goneTasks(detail: WorkflowDetail): string[] {
  const known = new Set(detail.tasks.map((task) => task.name));
  const all = detail.columns.flatMap((column) => Object.keys(column.cells));
  return [...new Set(all)].filter((name) => !known.has(name)).toSorted();
}

export interface Merged {
  state: TaskState;
  states: Record<string, number>;
  count: number;
  tries: number;
  started_ms: number;
  ended_ms: number;
}

/** The cells of several tasks as one; null when the run has none of them. */
export function mergedCell(cells: Record<string, WorkflowCell>, tasks: string[]): Merged | null {
  const found = tasks.map((task) => cells[task]).filter((cell) => cell !== undefined);
  if (found.length === 0) return null;
  const states: Record<string, number> = {};
  for (const cell of found) {
    for (const [state, n] of Object.entries(cell.states)) states[state] = (states[state] ?? 0) + n;
  }
  const starts = found.map((cell) => cell.started_ms).filter((at) => at > 0);
  const over = Object.keys(states).every(isFinished);
  return {
    state: together(states), states, count: Object.values(states).reduce((sum, n) => sum + n, 0),
    tries: Math.max(...found.map((cell) => cell.tries)),
    started_ms: starts.length ? Math.min(...starts) : 0,
    ended_ms: over ? Math.max(...found.map((cell) => cell.ended_ms)) : 0,
  };
}

/** Seconds from start to end, to now while it goes on, or null before it began. */
export function lasted(started_ms: number, ended_ms: number, now_ms: number): number | null {
  if (!started_ms) return null;
  return Math.max(0, (ended_ms || now_ms) - started_ms) / 1000;
}

export function lastedWords(started_ms: number, ended_ms: number, now_ms: number): string {
  const seconds = lasted(started_ms, ended_ms, now_ms);
  return seconds === null ? "" : duration(seconds);
}

/** "extract: success, 3.2 s, 2 tries": what a cell says to who cannot see its colour. */
export function cellWords(title: string, cell: Merged | null, now_ms: number): string {
  if (!cell) return `${title}: not in this run`;
  const many = cell.count > 1;
  const parts = [many ? tally(cell.states) : stateWords(cell.state)];
  const time = lastedWords(cell.started_ms, cell.ended_ms, now_ms);
  if (time) parts.push(time);
  if (cell.tries > 1) parts.push(`${cell.tries} tries`);
  return `${title}: ${parts.join(", ")}`;
}

/** A moment in UTC; the day is left out when it is today. */
export function moment(ms: number, now_ms = 0): string {
  if (!ms) return "";
  const text = time(ms);
  return now_ms && text.slice(0, 10) === time(now_ms).slice(0, 10) ? text.slice(11) : text;
}

/** "in 5 min 3 s", "2 h 1 min ago". */
export function away(ms: number, now_ms: number): string {
  const seconds = Math.round((ms - now_ms) / 1000);
  if (Math.abs(seconds) < 2) return "now";
  const words = duration(Math.abs(seconds)).replace(".0", "");
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}

/** "Every 6 s" of a timedelta as Python writes it, "1 day, 0:00:06"; null of another text. */
export function everyWords(text: string): string | null {
  const found = /^(?:(\d+) days?, )?(\d+):(\d\d):(\d\d)(?:\.\d+)?$/.exec(text);
  if (!found) return null;
  const units = ["day", "h", "min", "s"].map((unit, i) => [Number(found[i + 1] ?? 0), unit] as const).filter(([n]) => n > 0);
  if (units.length === 1 && units[0]![0] === 1 && units[0]![1] === "day") return "Every day";
  return `Every ${units.map(([n, unit]) => `${n} ${unit}${unit === "day" && n > 1 ? "s" : ""}`).join(" ")}`;
}

/** What starts its runs, in words. */
export function scheduleWords(dag: Pick<WorkflowInfo, "schedule" | "schedule_words" | "assets">): string {
  const written = ["None", "Asset"].includes(dag.schedule) ? "" : dag.schedule;
  const words = dag.schedule_words || everyWords(written) || written;
  if (dag.assets && words) return `${words}, and when ${dag.assets} changes`;
  if (dag.assets) return `When ${dag.assets} changes`;
  return words || "Only when asked";
}

/** A run by its logical date, or by when it was to run. */
export function runTitle(run: Pick<WorkflowRun, "logical_ms" | "run_after_ms">): string {
  return time(run.logical_ms || run.run_after_ms);
}

/** An instance's task with its map index. */
export function instanceTitle(one: Pick<WorkflowInstance, "task" | "map_index">): string {
  return one.map_index < 0 ? one.task : `${one.task} [${one.map_index}]`;
}

/** All tasks that come after `from`, or before it, near or far; without itself. */
export function reach(tasks: WorkflowTask[], from: string, down: boolean): Set<string> {
  const next = new Map<string, string[]>(tasks.map((task) => [task.name, []]));
  for (const task of tasks) {
    for (const after of task.downstream) {
      if (down) next.get(task.name)!.push(after);
      else next.get(after)?.push(task.name);
    }
  }
  const found = new Set<string>();
  const left = [from];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    for (const one of next.get(name) ?? []) {
      if (found.has(one)) continue;
      found.add(one);
      left.push(one);
    }
  }
  found.delete(from);
  return found;
}

/** "#/workflows/DAG/runs/RUN/tasks/TASK/INDEX", as far as it is given. */
export function address(dag: string, run?: string, task?: string, index = -1): string {
  const parts = ["#/workflows", encodeURIComponent(dag)];
  if (run !== undefined) parts.push("runs", encodeURIComponent(run));
  if (task !== undefined) parts.push("tasks", encodeURIComponent(task));
  if (task !== undefined && index >= 0) parts.push(String(index));
  return parts.join("/");
}

/** A number and its noun: "1 task", "2 tasks". */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
