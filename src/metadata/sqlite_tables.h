// The tables of workflows in SQLite, and their rows as structures.
#pragma once

#include "metadata/metadata.h"
#include "sqlite/database.h"

namespace tailrace::metadata {

/// Makes the tables, or brings those of an older program up to date. kFailedPrecondition: they are
/// a newer program's.
Status prepare_tables(sqlite::Database& database);

// The columns that the readers below take, in their order.
#define RUN_COLUMNS                                                                        \
  "dag, run, number, type, state, logical_date, interval_start, interval_end, run_after, " \
  "queued_at, started_at, ended_at, conf, dag_version, triggered_by, note, backfill, "     \
  "backfill_ordinal, asset_events, clears, deadlines_told"
#define TASK_COLUMNS                                                                   \
  "dag, run, task, map_index, state, try_number, max_tries, scheduled_at, queued_at, " \
  "started_at, ended_at, next_at, first_started_at, returned, mapped_length, skips, note"
#define TRY_COLUMNS "dag, run, task, map_index, number, state, started_at, ended_at, pid, why"

Result<sched::Run> read_run(const sqlite::Statement& row);
Result<sched::TaskInstance> read_task(const sqlite::Statement& row);
Result<Try> read_try(const sqlite::Statement& row);
/// id, uri, at, extra, source, aliases, count
Result<sched::AssetEvent> read_event(const sqlite::Statement& row);
/// id, paused, last_automated, next, pending_events, version
Result<sched::DagRow> read_dag(const sqlite::Statement& row);
/// All columns of backfill, as they were made.
Result<sched::Backfill> read_backfill(const sqlite::Statement& row);

}  // namespace tailrace::metadata
