// One fetch for every resource: JSON in, JSON out, failures as ApiError with the server's own sentence.
import type { ErrorAnswer } from "./types.gen";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** What Airflow's API says is wrong: a sentence, or a finding for each field. */
function detailOf(body: unknown): string | undefined {
  const detail = (body as { detail?: unknown } | null)?.detail;
  if (typeof detail === "string") return detail;
  if (!Array.isArray(detail)) return detail ? JSON.stringify(detail) : undefined;
  const findings = detail as { loc?: unknown[]; msg?: string }[];
  return findings.map(({ loc, msg }) => [loc?.slice(1).join("."), msg].filter(Boolean).join(": ")).join("; ");
}

async function send<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError(0, "unreachable", "Tailrace does not answer: is it still running?");
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  const { error } = (body as ErrorAnswer | null) ?? { error: undefined };
  const sentence = error?.message ?? detailOf(body) ?? `HTTP ${response.status}`;
  throw new ApiError(response.status, error?.code ?? "http", sentence);
}

export function get<T>(path: string, params: Record<string, string | number> = {}): Promise<T> {
  const given = Object.entries(params).filter(([, value]) => value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return send<T>(given.length ? `${path}?${query}` : path);
}

function change<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  return send<T>(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

export const post = <T>(path: string, body: unknown) => change<T>("POST", path, body);
export const patch = <T>(path: string, body: unknown) => change<T>("PATCH", path, body);
export const put = <T>(path: string) => change<T>("PUT", path);
export const remove = (path: string) => change<null>("DELETE", path);
