// Rejected records and their way back.
import { get, post } from "./client";
import type { DeadLetters, Redriven, RedriveRequest } from "./types.gen";

export function listDeadLetters(reason: string, after = "", limit = 20): Promise<DeadLetters> {
  return get<DeadLetters>("/api/dead-letters", { reason, after, limit });
}

export async function redrive(selection: RedriveRequest): Promise<number> {
  return (await post<Redriven>("/api/redrive", selection)).redriven;
}
