// Workflows: the console's own answers for what is seen at once, Airflow's REST API v2 for the rest.
import type { Param } from "../lib/params";
import { get, patch, post, put, remove } from "./client";
import type { RunState, RunType, WorkflowDetail, WorkflowRunDetail, Workflows } from "./types.gen";

const V2 = "/api/v2";
const at = (...parts: (string | number)[]) => [V2, ...parts.map((part) => encodeURIComponent(part))].join("/");

export type Which = "all" | "active" | "paused" | "running" | "failed";
export const PAGE = 25;

export function listWorkflows(search: string, tag: string, which: Which, offset: number): Promise<Workflows> {
  return get<Workflows>("/api/workflows", { search, tag, which, offset, limit: PAGE });
}

export function readWorkflow(dag: string, state: RunState | "", type: RunType | "", offset: number, limit: number): Promise<WorkflowDetail> {
  return get<WorkflowDetail>(`/api/workflows/${encodeURIComponent(dag)}`, { state, type, offset, limit });
}

export function readRun(dag: string, run: string): Promise<WorkflowRunDetail> {
  return get<WorkflowRunDetail>(`/api/workflows/${encodeURIComponent(dag)}/runs/${encodeURIComponent(run)}`);
}

export async function readParams(dag: string): Promise<Record<string, Param | unknown>> {
  return (await get<{ params: Record<string, Param | unknown> | null }>(at("dags", dag, "details"))).params ?? {};
}

export function setPaused(dag: string, paused: boolean): Promise<unknown> {
  return patch(at("dags", dag), { is_paused: paused });
}

export interface Trigger {
  conf: Record<string, unknown>;
  logical_date: string | null;
  dag_run_id?: string;
  note?: string;
}

/** The id of the run that is made. */
export async function trigger(dag: string, wanted: Trigger): Promise<string> {
  return (await post<{ dag_run_id: string }>(at("dags", dag, "dagRuns"), wanted)).dag_run_id;
}

export function setRunState(dag: string, run: string, state: "success" | "failed" | "queued"): Promise<unknown> {
  return patch(at("dags", dag, "dagRuns", run), { state });
}

export function setRunNote(dag: string, run: string, note: string): Promise<unknown> {
  return patch(at("dags", dag, "dagRuns", run), { note });
}

export function deleteRun(dag: string, run: string): Promise<unknown> {
  return remove(at("dags", dag, "dagRuns", run));
}

export interface Clearing {
  run: string;
  /** Names; empty: all of the run. */
  tasks: string[];
  map_index: number;
  upstream: boolean;
  downstream: boolean;
  past: boolean;
  future: boolean;
  only_failed: boolean;
}
export interface Touched {
  dag_run_id: string;
  task_id: string;
  map_index: number;
  state: string | null;
}

export async function clear(dag: string, what: Clearing, dry_run: boolean): Promise<Touched[]> {
  const ids = what.map_index < 0 ? what.tasks : what.tasks.map((task) => [task, what.map_index]);
  const body = {
    dry_run, dag_run_id: what.run, task_ids: ids.length ? ids : null, only_failed: what.only_failed, reset_dag_runs: true,
    include_upstream: what.upstream, include_downstream: what.downstream, include_past: what.past, include_future: what.future,
  };
  return (await post<{ task_instances: Touched[] }>(at("dags", dag, "clearTaskInstances"), body)).task_instances;
}

const instance = (dag: string, run: string, task: string, index: number, ...more: (string | number)[]) =>
  at("dags", dag, "dagRuns", run, "taskInstances", task, ...(index >= 0 ? [index] : []), ...more);

export function setTaskState(dag: string, run: string, task: string, index: number, new_state: "success" | "failed" | "skipped", upstream: boolean, downstream: boolean): Promise<unknown> {
  return patch(instance(dag, run, task, index), { new_state, include_upstream: upstream, include_downstream: downstream });
}

export interface InstanceFacts {
  rendered_fields?: Record<string, unknown>;
  operator_name: string | null;
  pool: string;
  pool_slots: number;
  queue: string | null;
  priority_weight: number | null;
  pid: number | null;
  hostname: string | null;
}

export function readInstance(dag: string, run: string, task: string, index: number): Promise<InstanceFacts> {
  return get<InstanceFacts>(instance(dag, run, task, index));
}

export interface LogLine {
  event: string;
  timestamp?: string;
  level?: string;
  [more: string]: unknown;
}
export interface LogPart {
  content: LogLine[];
  continuation_token: string | null;
}

export async function readLog(dag: string, run: string, task: string, index: number, try_number: number, token: string): Promise<LogPart> {
  const path = at("dags", dag, "dagRuns", run, "taskInstances", task, "logs", try_number);
  return get<LogPart>(path, { map_index: index, token });
}

export interface XCom {
  key: string;
  timestamp: string;
  map_index: number;
  value: unknown;
}

export async function readXComs(dag: string, run: string, task: string, index: number): Promise<XCom[]> {
  const path = at("dags", dag, "dagRuns", run, "taskInstances", task, "xcomEntries");
  const { xcom_entries } = await get<{ xcom_entries: XCom[] }>(path, { map_index: index, limit: 100 });
  return Promise.all(xcom_entries.map(async (entry) => ({
    ...entry, value: (await get<XCom>(`${path}/${encodeURIComponent(entry.key)}`, { map_index: entry.map_index })).value,
  })));
}

export type Reprocess = "none" | "failed" | "completed";
export interface BackfillRequest {
  dag_id: string;
  from_date: string;
  to_date: string;
  run_backwards: boolean;
  reprocess_behavior: Reprocess;
  max_active_runs: number;
  dag_run_conf: Record<string, unknown>;
}
export interface Backfill {
  id: number;
  dag_id: string;
  from_date: string;
  to_date: string;
  is_paused: boolean;
  reprocess_behavior: Reprocess;
  max_active_runs: number;
  created_at: string;
  completed_at: string | null;
}

export async function tryBackfill(wanted: BackfillRequest): Promise<{ logical_date: string | null }[]> {
  return (await post<{ backfills: { logical_date: string | null }[] }>(at("backfills", "dry_run"), wanted)).backfills;
}

export function makeBackfill(wanted: BackfillRequest): Promise<Backfill> {
  return post<Backfill>(at("backfills"), wanted);
}

export async function listBackfills(dag: string): Promise<Backfill[]> {
  const found = await get<{ backfills: Backfill[] }>(at("backfills"), { dag_id: dag, limit: 100 });
  return found.backfills.toSorted((a, b) => b.id - a.id);
}

export function turnBackfill(id: number, how: "pause" | "unpause" | "cancel"): Promise<unknown> {
  return put(at("backfills", id, how));
}

export interface Asset {
  id: number;
  name: string;
  uri: string;
  group: string;
  extra: Record<string, unknown> | null;
  scheduled_dags: { dag_id: string }[];
  producing_tasks: { dag_id: string; task_id: string }[];
  consuming_tasks: { dag_id: string; task_id: string }[];
  last_asset_event: { id: number | null; timestamp: string | null } | null;
}
export interface AssetEvent {
  id: number;
  asset_id: number;
  uri: string | null;
  name: string | null;
  extra: Record<string, unknown> | null;
  timestamp: string;
  source_dag_id: string | null;
  source_run_id: string | null;
  source_task_id: string | null;
  source_map_index: number;
  created_dagruns: { dag_id: string; run_id: string; state: string }[];
}

export async function listAssets(): Promise<Asset[]> {
  return (await get<{ assets: Asset[] }>(at("assets"), { limit: 100, order_by: "uri" })).assets;
}

export async function listAssetEvents(asset: number): Promise<AssetEvent[]> {
  const params = { asset_id: asset, limit: 50, order_by: "-timestamp" };
  return (await get<{ asset_events: AssetEvent[] }>(at("assets", "events"), params)).asset_events;
}

/** The events that a run is for. */
export async function listCauses(dag: string, run: string): Promise<AssetEvent[]> {
  return (await get<{ asset_events: AssetEvent[] }>(at("dags", dag, "dagRuns", run, "upstreamAssetEvents"))).asset_events;
}

export function tellAsset(asset_id: number, extra: Record<string, unknown>): Promise<unknown> {
  return post(at("assets", "events"), { asset_id, extra });
}
