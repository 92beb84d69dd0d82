// Tables as texts, rows as structures; README.md says what they are.
#include "metadata/sqlite_tables.h"

#include <fmt/format.h>

#include "metadata/row_texts.h"

namespace tailrace::metadata {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Transaction;

namespace {

constexpr int kVersion = 3;
constexpr const char* kTables = R"(
CREATE TABLE dag (id TEXT PRIMARY KEY, paused INT NOT NULL, last_automated TEXT, next TEXT,
  pending_events TEXT NOT NULL, version TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE run (dag TEXT NOT NULL, run TEXT NOT NULL, number INT NOT NULL UNIQUE, type TEXT NOT
  NULL, state TEXT NOT NULL, logical_date INT, interval_start INT, interval_end INT, run_after INT
  NOT NULL, queued_at INT NOT NULL, started_at INT, ended_at INT, conf TEXT NOT NULL, dag_version
  TEXT NOT NULL, triggered_by TEXT NOT NULL, note TEXT NOT NULL, backfill INT NOT NULL,
  backfill_ordinal INT NOT NULL, asset_events TEXT NOT NULL, clears INT NOT NULL, deadlines_told
  INT NOT NULL, PRIMARY KEY (dag, run)) WITHOUT ROWID;
CREATE UNIQUE INDEX run_by_logical_date ON run (dag, logical_date) WHERE logical_date IS NOT NULL;
CREATE INDEX run_by_time ON run (run_after);
CREATE INDEX run_unfinished ON run (state) WHERE state IN ('queued', 'running');
CREATE TABLE task (dag TEXT NOT NULL, run TEXT NOT NULL, task TEXT NOT NULL, map_index INT NOT
  NULL, state TEXT NOT NULL, try_number INT NOT NULL, max_tries INT NOT NULL, scheduled_at INT,
  queued_at INT, started_at INT, ended_at INT, next_at INT, first_started_at INT, returned INT NOT
  NULL, mapped_length INT, skips TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (dag, run, task,
  map_index)) WITHOUT ROWID;
CREATE TABLE try (dag TEXT NOT NULL, run TEXT NOT NULL, task TEXT NOT NULL, map_index INT NOT
  NULL, number INT NOT NULL, state TEXT NOT NULL, started_at INT, ended_at INT, pid INT NOT NULL,
  why TEXT NOT NULL, PRIMARY KEY (dag, run, task, map_index, number)) WITHOUT ROWID;
CREATE INDEX try_under_way ON try (state) WHERE state = 'running';
CREATE TABLE asset_event (id INTEGER PRIMARY KEY, uri TEXT NOT NULL, at INT NOT NULL, extra TEXT
  NOT NULL, source TEXT, aliases TEXT NOT NULL);
CREATE INDEX asset_event_by_uri ON asset_event (uri, id);
CREATE TABLE pool (name TEXT PRIMARY KEY, slots INT NOT NULL, include_deferred INT NOT NULL,
  description TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE backfill (id INTEGER PRIMARY KEY, dag TEXT NOT NULL, from_date INT NOT NULL, to_date
  INT NOT NULL, max_active_runs INT NOT NULL, reverse INT NOT NULL, paused INT NOT NULL, reprocess
  INT NOT NULL, conf TEXT NOT NULL, created_at INT NOT NULL, completed_at INT);
CREATE TABLE numbers (runs INT NOT NULL, asset_events INT NOT NULL, backfills INT NOT NULL);
CREATE TABLE xcom (dag TEXT NOT NULL, run TEXT NOT NULL, task TEXT NOT NULL, map_index INT NOT
  NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (dag, run, task, map_index, key))
  WITHOUT ROWID;
CREATE TABLE variable (key TEXT PRIMARY KEY, value TEXT NOT NULL, description TEXT NOT NULL)
  WITHOUT ROWID;
CREATE TABLE connection (id TEXT PRIMARY KEY, type TEXT, description TEXT, host TEXT, schema TEXT,
  login TEXT, password TEXT, port INT, extra TEXT) WITHOUT ROWID;
)";
/// What version 2 has more.
constexpr const char* kTables2 = R"(
ALTER TABLE asset_event ADD COLUMN count INT NOT NULL DEFAULT 1;
CREATE TABLE asset_cursor (source TEXT NOT NULL, part TEXT NOT NULL, value TEXT NOT NULL, PRIMARY
  KEY (source, part)) WITHOUT ROWID;
)";

/// What version 3 has more.
constexpr const char* kTables3 = R"(
CREATE TABLE callback (id INTEGER PRIMARY KEY, dag TEXT NOT NULL, run TEXT NOT NULL, task TEXT NOT
  NULL, map_index INT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, why TEXT NOT NULL);
CREATE TABLE rendered (dag TEXT NOT NULL, run TEXT NOT NULL, task TEXT NOT NULL, map_index INT NOT
  NULL, fields TEXT NOT NULL, map_name TEXT NOT NULL, PRIMARY KEY (dag, run, task, map_index))
  WITHOUT ROWID;
)";

}  // namespace

Status prepare_tables(Database& database) {
  std::int64_t version = 0;
  {
    Statement row = database.prepare("PRAGMA user_version");
    ASSIGN(const bool there, row.step());
    if (there) version = row.integer(0);
  }
  if (version > kVersion)
    return error(Code::kFailedPrecondition,
                 fmt::format("its tables are of version {}, and this program knows {}: it was "
                             "written by a newer tailrace",
                             version, kVersion));
  if (version == kVersion) return {};
  ASSIGN(auto transaction, Transaction::begin(database));
  if (version < 1) TRY(database.execute(kTables));
  if (version < 2) TRY(database.execute(kTables2));
  if (version < 3) TRY(database.execute(kTables3));
  TRY(database.execute(fmt::format("PRAGMA user_version = {}", kVersion)));
  return transaction.commit();
}

Result<sched::Run> read_run(const Statement& row) {
  sched::Run run;
  run.id = {row.text(0), row.text(1)};
  run.number = row.integer(2);
  ASSIGN(run.type, run_type(row.text(3)));
  ASSIGN(run.state, run_state(row.text(4)));
  run.logical_date = row.integer_or_none(5);
  if (const auto start = row.integer_or_none(6)) run.interval = {*start, row.integer(7)};
  run.run_after = row.integer(8);
  run.queued_at = row.integer(9);
  run.started_at = row.integer_or_none(10);
  run.ended_at = row.integer_or_none(11);
  ASSIGN(run.conf, jinja::from_json(row.text(12)));
  run.dag_version = row.text(13);
  run.triggered_by = row.text(14);
  run.note = row.text(15);
  run.backfill = row.integer(16);
  run.backfill_ordinal = static_cast<int>(row.integer(17));
  ASSIGN(run.asset_events, numbers(row.text(18)));
  run.clears = static_cast<int>(row.integer(19));
  run.deadlines_told = static_cast<std::uint64_t>(row.integer(20));
  return run;
}

Result<sched::TaskInstance> read_task(const Statement& row) {
  sched::TaskInstance task;
  task.id = {{row.text(0), row.text(1)}, row.text(2), static_cast<int>(row.integer(3))};
  ASSIGN(task.state, task_state(row.text(4)));
  task.try_number = static_cast<int>(row.integer(5));
  task.max_tries = static_cast<int>(row.integer(6));
  task.scheduled_at = row.integer_or_none(7);
  task.queued_at = row.integer_or_none(8);
  task.started_at = row.integer_or_none(9);
  task.ended_at = row.integer_or_none(10);
  task.next_at = row.integer_or_none(11);
  task.first_started_at = row.integer_or_none(12);
  task.returned = row.integer(13) != 0;
  task.mapped_length = row.integer_or_none(14);
  ASSIGN(task.skips, words(row.text(15)));
  task.note = row.text(16);
  return task;
}

Result<Try> read_try(const Statement& row) {
  Try one;
  one.task = {{row.text(0), row.text(1)}, row.text(2), static_cast<int>(row.integer(3))};
  one.number = static_cast<int>(row.integer(4));
  ASSIGN(one.state, task_state(row.text(5)));
  one.started_at = row.integer_or_none(6);
  one.ended_at = row.integer_or_none(7);
  one.pid = static_cast<int>(row.integer(8));
  one.why = row.text(9);
  return one;
}

Result<sched::AssetEvent> read_event(const Statement& row) {
  sched::AssetEvent event;
  event.id = row.integer(0);
  event.asset_uri = row.text(1);
  event.at = row.integer(2);
  ASSIGN(event.extra, jinja::from_json(row.text(3)));
  if (const std::string source = row.text(4); !source.empty()) {
    ASSIGN(event.source, task_id(source));
  }
  ASSIGN(event.aliases, words(row.text(5)));
  event.count = row.integer(6);
  return event;
}

Result<sched::DagRow> read_dag(const Statement& row) {
  sched::DagRow dag;
  dag.id = row.text(0);
  dag.paused = row.integer(1) != 0;
  if (const std::string last = row.text(2); !last.empty()) {
    ASSIGN(dag.last_automated, run_info(last));
  }
  if (const std::string next = row.text(3); !next.empty()) {
    ASSIGN(dag.next, run_info(next));
  }
  ASSIGN(dag.pending_asset_events, numbers(row.text(4)));
  dag.version = row.text(5);
  return dag;
}

Result<sched::Backfill> read_backfill(const Statement& row) {
  sched::Backfill one;
  one.id = row.integer(0);
  one.dag = row.text(1);
  one.from = row.integer(2);
  one.to = row.integer(3);
  one.max_active_runs = static_cast<int>(row.integer(4));
  one.reverse = row.integer(5) != 0;
  one.paused = row.integer(6) != 0;
  one.reprocess = static_cast<sched::Backfill::Reprocess>(row.integer(7));
  ASSIGN(one.conf, jinja::from_json(row.text(8)));
  one.created_at = row.integer(9);
  one.completed_at = row.integer_or_none(10);
  return one;
}

}  // namespace tailrace::metadata
