// Tables and their rows.
import { get } from "./client";
import { runSql } from "./sql";
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

/** What a contract asks of all rows of a table, and what was found. */
export interface ContractRule {
  name: string;
  measured: string;
  value: number | null;
  must: string;
  unit: string;
  state: string;
  severity: string;
  error: string;
  judged_ms: number;
}

export async function contractRules(table: string): Promise<ContractRule[]> {
  const literal = table.replace(/[\\']/g, "\\$&");
  const { columns, rows } = await runSql(
    `SELECT name, measured, value, must, unit, state, severity, error, judged_ms FROM system.contract_rules WHERE table_name = '${literal}'`,
  );
  return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column.name, row[i]])) as unknown as ContractRule);
}
