// Tables and their rows.
import { get } from "./client";
import type { Rows, TableInfo, Tables } from "./types.gen";

export async function listTables(): Promise<TableInfo[]> {
  return (await get<Tables>("/api/tables")).tables;
}

export function readRows(name: string, after = "", limit = 25): Promise<Rows> {
  return get<Rows>(`/api/tables/${encodeURIComponent(name)}`, { limit, after });
}

/** One row by its key: the parts in order of the key's columns. */
export function readRow(name: string, key: string[]): Promise<Rows> {
  return get<Rows>(`/api/tables/${[name, ...key].map(encodeURIComponent).join("/")}`);
}
