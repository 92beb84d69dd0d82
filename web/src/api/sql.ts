// Queries.
import { post } from "./client";
import type { Rows, SqlRequest } from "./types.gen";

export function runSql(query: string): Promise<Rows> {
  return post<Rows>("/api/sql", { query } satisfies SqlRequest);
}
