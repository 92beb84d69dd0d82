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
  throw new ApiError(response.status, error?.code ?? "http", error?.message ?? `HTTP ${response.status}`);
}

export function get<T>(path: string, params: Record<string, string | number> = {}): Promise<T> {
  const given = Object.entries(params).filter(([, value]) => value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return send<T>(given.length ? `${path}?${query}` : path);
}

export function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  return send<T>(path, { method: "POST", headers, body: JSON.stringify(body) });
}
