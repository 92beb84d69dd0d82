// The tables of workflows, and their rows as structures.
#pragma once

#include <string>
#include <string_view>

#include "metadata/metadata.h"
#include "metadata/store.h"

namespace tailrace::metadata {

inline constexpr int kTablesVersion = 4;

/// What brings the tables of a version up to date, as SQLite reads it; 0: there are none; empty:
/// they are. kFailedPrecondition: they are a newer program's.
Result<std::string> tables_since(int version);
/// The same for PostgreSQL.
std::string in_postgres(std::string statements);

/// The statement that puts a row, or in the place of the one with its key: the first `keys`
/// columns.
std::string upsert(std::string_view table, std::string_view columns, int keys);

// The columns that the readers below take, in their order.
#define RUN_COLUMNS                                                                        \
  "dag, run, number, type, state, logical_date, interval_start, interval_end, run_after, " \
  "queued_at, started_at, ended_at, conf, dag_version, triggered_by, note, backfill, "     \
  "backfill_ordinal, asset_events, clears, deadlines_told"
#define TASK_COLUMNS                                                                   \
  "dag, run, task, map_index, state, try_number, max_tries, scheduled_at, queued_at, " \
  "started_at, ended_at, next_at, first_started_at, returned, mapped_length, skips, note"
#define TRY_COLUMNS "dag, run, task, map_index, number, state, started_at, ended_at, pid, why"

Result<sched::Run> read_run(const Statement& row);
Result<sched::TaskInstance> read_task(const Statement& row);
Result<Try> read_try(const Statement& row);
/// id, uri, at, extra, source, aliases, count
Result<sched::AssetEvent> read_event(const Statement& row);
/// id, paused, last_automated, next, pending_events, version
Result<sched::DagRow> read_dag(const Statement& row);
/// All columns of backfill, as they were made.
Result<sched::Backfill> read_backfill(const Statement& row);

}  // namespace tailrace::metadata
