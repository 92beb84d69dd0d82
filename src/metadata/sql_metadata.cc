// Rows of workflows in the tables of a store; README.md has the tables.
#include "metadata/sql_metadata.h"

#include <fmt/format.h>

#include <mutex>
#include <set>
#include <unordered_map>

#include "metadata/row_texts.h"
#include "metadata/tables.h"

namespace tailrace::metadata {
namespace {

using sched::Micros;

template <typename Take>
Status each(Statement rows, Take take) {
  while (true) {
    ASSIGN(const bool row, rows.step());
    if (!row) return {};
    TRY(take(rows));
  }
}

/// Every row of a statement, by `read`.
template <typename Read>
auto all(Statement rows, Read read)
    -> Result<std::vector<typename decltype(read(rows))::value_type>> {
  std::vector<typename decltype(read(rows))::value_type> found;
  TRY(each(std::move(rows), [&](const Statement& row) -> Status {
    ASSIGN(auto one, read(row));
    found.push_back(std::move(one));
    return {};
  }));
  return found;
}

// What is put in the place of an older row.
const std::string kPutRendered =
    upsert("rendered", "dag, run, task, map_index, fields, map_name", 4);
const std::string kPutTry = upsert("try", TRY_COLUMNS, 5);
const std::string kPutXcom = upsert("xcom", "dag, run, task, map_index, key, value", 5);
const std::string kPutVariable = upsert("variable", "key, value, description", 1);
const std::string kPutConnection =
    upsert("connection", "id, type, description, host, schema, login, password, port, extra", 1);
const std::string kPutDag =
    upsert("dag", "id, paused, last_automated, next, pending_events, version", 1);
const std::string kPutTask = upsert("task", TASK_COLUMNS, 4);
const std::string kPutAssetEvent =
    upsert("asset_event", "id, uri, at, extra, source, aliases, count", 1);
const std::string kPutAssetCursor = upsert("asset_cursor", "source, part, value", 2);
const std::string kPutPool = upsert("pool", "name, slots, include_deferred, description", 1);
const std::string kPutBackfill = upsert("backfill",
                                        "id, dag, from_date, to_date, max_active_runs, reverse, "
                                        "paused, reprocess, conf, created_at, completed_at",
                                        1);

Statement& bind(Statement& statement, const sched::RunId& id) {
  return statement.bind(std::string_view(id.dag)).bind(std::string_view(id.run));
}
Statement& bind(Statement& statement, const sched::TaskId& id) {
  return bind(statement, id.run).bind(std::string_view(id.task)).bind(id.map_index);
}

constexpr std::int64_t kMostEventLogs = 100'000;

class SqlMetadata final : public Metadata {
 public:
  SqlMetadata(std::unique_ptr<Store> store, std::unique_ptr<Store> beside)
      : store_(std::move(store)),
        beside_(beside ? std::make_unique<SqlMetadata>(std::move(beside), nullptr) : nullptr) {}

  Result<std::vector<sched::Change>> load() override {
    const std::lock_guard lock(mutex_);
    std::vector<sched::Change> rows;
    const auto add = [&](auto found) -> Status {
      if (!found) return std::unexpected(found.error());
      for (auto& one : *found) rows.emplace_back(std::move(one));
      return {};
    };
    TRY(add(all(store_->prepare("SELECT name, slots, include_deferred, description FROM pool"),
                [](const Statement& row) -> Result<sched::Pool> {
                  return sched::Pool{row.text(0), static_cast<int>(row.integer(1)),
                                     row.integer(2) != 0, row.text(3)};
                })));
    TRY(add(all(store_->prepare("SELECT id, paused, last_automated, next, pending_events, version "
                                "FROM dag"),
                read_dag)));
    TRY(add(all(store_->prepare("SELECT id, dag, from_date, to_date, max_active_runs, reverse, "
                                "paused, reprocess, conf, created_at, completed_at FROM backfill "
                                "WHERE completed_at IS NULL"),
                read_backfill)));
    TRY(add(all(store_->prepare("SELECT runs, asset_events, backfills FROM numbers"),
                [](const Statement& row) -> Result<sched::Numbers> {
                  return sched::Numbers{row.integer(0), row.integer(1), row.integer(2)};
                })));
    // The last finished runs of each DAG beside those under way: what looks at the past looks
    // there.
    static constexpr const char* kRuns =
        "WITH ended AS (SELECT dag, run, row_number() OVER (PARTITION BY dag ORDER BY number DESC) "
        "n "
        "FROM run WHERE state IN ('success', 'failed')) "
        "SELECT " RUN_COLUMNS
        " FROM run WHERE state IN ('queued', 'running') OR (dag, run) IN "
        "(SELECT dag, run FROM ended WHERE n <= 16) ORDER BY number";
    auto runs = all(store_->prepare(kRuns), read_run);
    if (!runs) return std::unexpected(runs.error());
    for (auto& run : *runs) {
      const sched::RunId id = run.id;
      rows.emplace_back(std::move(run));
      TRY(add(tasks_of(id)));
    }
    std::set<std::int64_t> waiting;  // events that a DAG has not consumed, and the last of all
    for (const auto& row : rows)
      if (const auto* dag = std::get_if<sched::DagRow>(&row))
        waiting.insert(dag->pending_asset_events.begin(), dag->pending_asset_events.end());
    TRY(each(store_->prepare("SELECT max(id) FROM asset_event"), [&](const Statement& row) {
      if (const auto last = row.integer_or_none(0)) waiting.insert(*last);
      return Status();
    }));
    TRY(add(events_of(std::vector(waiting.begin(), waiting.end()))));
    return rows;
  }

  Result<std::vector<sched::Change>> recall(const sched::Wanted& wanted) override {
    const std::lock_guard lock(mutex_);
    std::vector<sched::Change> rows;
    const auto add = [&](Result<std::vector<sched::Run>> runs) -> Status {
      if (!runs) return std::unexpected(runs.error());
      for (auto& run : *runs) {
        ASSIGN(auto tasks, tasks_of(run.id));
        rows.emplace_back(std::move(run));
        for (auto& task : tasks) rows.emplace_back(std::move(task));
      }
      return {};
    };
    if (wanted.run) {
      Statement one = store_->prepare("SELECT " RUN_COLUMNS
                                      " FROM run WHERE state IN ('success', 'failed') AND dag = ? "
                                      "AND run = ?");
      one.bind(std::string_view(wanted.dag)).bind(std::string_view(*wanted.run));
      TRY(add(all(std::move(one), read_run)));
      return rows;
    }
    Statement span =
        store_->prepare("SELECT " RUN_COLUMNS
                        " FROM run WHERE state IN ('success', 'failed') AND dag = ?1 AND "
                        "logical_date >= ?2 AND logical_date <= ?3 ORDER BY number");
    span.bind(std::string_view(wanted.dag))
        .bind(wanted.from.value_or(INT64_MIN))
        .bind(wanted.to.value_or(INT64_MAX));
    TRY(add(all(std::move(span), read_run)));
    Statement before =
        store_->prepare("SELECT " RUN_COLUMNS
                        " FROM run WHERE state IN ('success', 'failed') AND dag = ?1 AND "
                        "logical_date < ?2 ORDER BY logical_date DESC LIMIT 1");
    before.bind(std::string_view(wanted.dag)).bind(wanted.from.value_or(INT64_MIN));
    TRY(add(all(std::move(before), read_run)));
    return rows;
  }

  Status keep(std::span<const sched::Change> changes, std::span<const Cursor> cursors,
              std::span<const Callback> callbacks) override {
    if (changes.empty() && cursors.empty() && callbacks.empty()) return {};
    const std::lock_guard lock(mutex_);
    ASSIGN(auto transaction, Transaction::begin(*store_));
    for (const auto& change : changes) {
      TRY(std::visit([this](const auto& row) { return put(row); }, change));
    }
    for (const Cursor& cursor : cursors) TRY(put(cursor));
    for (const Callback& callback : callbacks) TRY(put(callback));
    return transaction.commit();
  }

  Result<std::vector<Callback>> callbacks() override {
    const std::lock_guard lock(mutex_);
    return all(
        store_->prepare("SELECT dag, run, task, map_index, name, reason, why, id FROM callback "
                        "ORDER BY id"),
        [](const Statement& row) -> Result<Callback> {
          return Callback{
              {{row.text(0), row.text(1)}, row.text(2), static_cast<int>(row.integer(3))},
              row.text(4),
              row.text(5),
              row.text(6),
              row.integer(7)};
        });
  }

  Status drop_callback(std::int64_t id) override {
    const std::lock_guard lock(mutex_);
    Statement drop = store_->prepare("DELETE FROM callback WHERE id = ?");
    return drop.bind(id).run();
  }

  Status keep_rendered(const sched::TaskId& task, const Rendered& rendered) override {
    ASSIGN(const std::string fields, jinja::to_json(jinja::Value(rendered.fields)));
    const std::lock_guard lock(mutex_);
    Statement put = store_->prepare(kPutRendered.c_str());
    bind(put, task).bind(std::string_view(fields)).bind(std::string_view(rendered.map_index));
    return put.run();
  }

  Result<std::optional<Rendered>> rendered(const sched::TaskId& task) override {
    const std::lock_guard lock(mutex_);
    Statement row = store_->prepare(
        "SELECT fields, map_name FROM rendered WHERE dag = ? AND run = ? AND task = ? AND "
        "map_index = ?");
    bind(row, task);
    ASSIGN(const bool there, row.step());
    if (!there) return std::nullopt;
    ASSIGN(const auto fields, jinja::from_json(row.text(0)));
    return Rendered{fields.dict() == nullptr ? jinja::Dict() : *fields.dict(), row.text(1)};
  }

  Status keep_try(const Try& one) override {
    const std::lock_guard lock(mutex_);
    Statement put = store_->prepare(kPutTry.c_str());
    bind(put, one.task)
        .bind(one.number)
        .bind(sched::name(one.state))
        .bind(one.started_at)
        .bind(one.ended_at)
        .bind(one.pid)
        .bind(std::string_view(one.why));
    return put.run();
  }

  Result<RunPage> runs(const RunFilter& filter) override;

  Result<std::optional<sched::Run>> run(const sched::RunId& id) override {
    const std::lock_guard lock(mutex_);
    Statement row = store_->prepare("SELECT " RUN_COLUMNS " FROM run WHERE dag = ? AND run = ?");
    bind(row, id);
    ASSIGN(const bool there, row.step());
    if (!there) return std::nullopt;
    return read_run(row);
  }

  Result<std::vector<sched::TaskInstance>> tasks(const sched::RunId& id) override {
    const std::lock_guard lock(mutex_);
    return tasks_of(id);
  }

  Result<std::vector<Try>> tries(const sched::TaskId& task) override {
    const std::lock_guard lock(mutex_);
    Statement rows = store_->prepare("SELECT " TRY_COLUMNS
                                     " FROM try WHERE dag = ? AND run = ? AND task = ? AND "
                                     "map_index = ? ORDER BY number");
    bind(rows, task);
    return all(std::move(rows), read_try);
  }

  Result<std::vector<sched::AssetEvent>> asset_events(std::string_view uri,
                                                      std::int64_t limit) override {
    const std::lock_guard lock(mutex_);
    Statement rows = store_->prepare(
        "SELECT id, uri, at, extra, source, aliases, count FROM asset_event WHERE ?1 = '' OR uri = "
        "?1 "
        "ORDER BY id DESC LIMIT ?2");
    rows.bind(uri).bind(limit);
    return all(std::move(rows), read_event);
  }

  Result<std::vector<sched::Backfill>> backfills(std::string_view dag) override {
    const std::lock_guard lock(mutex_);
    Statement rows = store_->prepare(
        "SELECT id, dag, from_date, to_date, max_active_runs, reverse, paused, reprocess, conf, "
        "created_at, completed_at FROM backfill WHERE dag = ? ORDER BY id");
    rows.bind(dag);
    return all(std::move(rows), read_backfill);
  }

  Result<std::vector<sched::AssetEvent>> asset_events(std::span<const std::int64_t> ids) override {
    const std::lock_guard lock(mutex_);
    return events_of(ids);
  }

  Result<std::vector<Cursor>> cursors() override {
    const std::lock_guard lock(mutex_);
    return all(store_->prepare("SELECT source, part, value FROM asset_cursor"),
               [](const Statement& row) -> Result<Cursor> {
                 return Cursor{row.text(0), row.text(1), row.text(2)};
               });
  }

  Result<std::vector<Try>> unfinished_tries() override {
    const std::lock_guard lock(mutex_);
    return all(store_->prepare("SELECT " TRY_COLUMNS " FROM try WHERE state = 'running'"),
               read_try);
  }

  Status put_xcom(const sched::TaskId& task, std::string_view key,
                  const jinja::Value& value) override {
    ASSIGN(const std::string json, jinja::to_json(value));
    const std::lock_guard lock(mutex_);
    Statement put = store_->prepare(kPutXcom.c_str());
    bind(put, task).bind(key).bind(std::string_view(json));
    return put.run();
  }

  Result<std::optional<jinja::Value>> xcom(const sched::TaskId& task,
                                           std::string_view key) override {
    const std::lock_guard lock(mutex_);
    Statement rows = store_->prepare(
        "SELECT map_index, value FROM xcom WHERE dag = ?1 AND run = ?2 AND task = ?3 AND "
        "(map_index = ?4 OR ?4 = -1) AND key = ?5 ORDER BY map_index");
    bind(rows, task).bind(key);
    jinja::List values;
    while (true) {
      ASSIGN(const bool there, rows.step());
      if (!there) break;
      ASSIGN(auto value, jinja::from_json(rows.text(1)));
      if (rows.integer(0) == task.map_index) return value;
      values.push_back(std::move(value));
    }
    if (values.empty()) return std::nullopt;
    return jinja::Value(std::move(values));
  }

  Result<jinja::List> xcoms(const sched::TaskId& task, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    Statement rows = store_->prepare(
        "SELECT value FROM xcom WHERE dag = ? AND run = ? AND task = ? AND key = ? ORDER BY "
        "map_index");
    bind(rows, task.run).bind(std::string_view(task.task)).bind(key);
    return all(std::move(rows), [](const Statement& row) { return jinja::from_json(row.text(0)); });
  }

  Result<jinja::List> prior_xcoms(const sched::TaskId& task, std::string_view key,
                                  bool one) override {
    const std::lock_guard lock(mutex_);
    static const std::string kRows =
        "SELECT xcom.value FROM xcom JOIN run ON run.dag = xcom.dag AND run.run = xcom.run WHERE "
        "xcom.dag = ?1 AND COALESCE(run.logical_date, run.run_after) <= (SELECT "
        "COALESCE(logical_date, run_after) FROM run WHERE dag = ?1 AND run = ?2) AND xcom.task = "
        "?3 AND (xcom.map_index = ?4 OR ?4 = -2) AND xcom.key = ?5 ORDER BY ";
    static const std::string kLatest =
        kRows + "COALESCE(run.logical_date, run.run_after) DESC, run.number DESC LIMIT 1";
    static const std::string kAll = kRows + "xcom.map_index, run.number";
    Statement rows = store_->prepare((one ? kLatest : kAll).c_str());
    bind(rows, task.run)
        .bind(std::string_view(task.task))
        .bind(one ? task.map_index : -2)
        .bind(key);
    return all(std::move(rows), [](const Statement& row) { return jinja::from_json(row.text(0)); });
  }

  Status drop_xcom(const sched::TaskId& task, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    Statement drop = store_->prepare(
        "DELETE FROM xcom WHERE dag = ? AND run = ? AND task = ? AND map_index = ? AND key = ?");
    bind(drop, task).bind(key);
    return drop.run();
  }

  Status clear_xcoms(const sched::TaskId& task) override {
    const std::lock_guard lock(mutex_);
    return drop_xcoms(task);
  }

  Result<std::vector<std::string>> xcom_keys(const sched::TaskId& task) override {
    const std::lock_guard lock(mutex_);
    Statement rows = store_->prepare(
        "SELECT key FROM xcom WHERE dag = ? AND run = ? AND task = ? AND map_index = ? ORDER BY "
        "key");
    bind(rows, task);
    return all(std::move(rows),
               [](const Statement& row) -> Result<std::string> { return row.text(0); });
  }

  Status set_variable(const Variable& variable) override {
    const std::lock_guard lock(mutex_);
    Statement put = store_->prepare(kPutVariable.c_str());
    put.bind(std::string_view(variable.key))
        .bind(std::string_view(variable.value))
        .bind(std::string_view(variable.description));
    return put.run();
  }

  Status drop_variable(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    Statement drop = store_->prepare("DELETE FROM variable WHERE key = ? RETURNING key");
    drop.bind(key);
    ASSIGN(const bool there, drop.step());
    if (!there) return error(Code::kNotFound, fmt::format("no variable is called {}", key));
    return drop.run();
  }

  Result<std::vector<Variable>> variables() override {
    const std::lock_guard lock(mutex_);
    return all(store_->prepare("SELECT key, value, description FROM variable ORDER BY key"),
               [](const Statement& row) -> Result<Variable> {
                 return Variable{row.text(0), row.text(1), row.text(2)};
               });
  }

  Status set_connection(const Connection& one) override {
    const std::lock_guard lock(mutex_);
    Statement put = store_->prepare(kPutConnection.c_str());
    put.bind(std::string_view(one.id))
        .bind(one.type)
        .bind(one.description)
        .bind(one.host)
        .bind(one.schema)
        .bind(one.login)
        .bind(one.password)
        .bind(one.port)
        .bind(one.extra);
    return put.run();
  }

  Status drop_connection(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    Statement drop = store_->prepare("DELETE FROM connection WHERE id = ? RETURNING id");
    drop.bind(id);
    ASSIGN(const bool there, drop.step());
    if (!there) return error(Code::kNotFound, fmt::format("no connection is called {}", id));
    return drop.run();
  }

  Result<std::vector<Connection>> connections() override {
    const std::lock_guard lock(mutex_);
    return all(store_->prepare("SELECT id, type, description, host, schema, login, password, "
                               "port, extra FROM connection ORDER BY id"),
               [](const Statement& row) -> Result<Connection> {
                 return Connection{.id = row.text(0),
                                   .type = row.text_or_none(1),
                                   .description = row.text_or_none(2),
                                   .host = row.text_or_none(3),
                                   .schema = row.text_or_none(4),
                                   .login = row.text_or_none(5),
                                   .password = row.text_or_none(6),
                                   .port = row.integer_or_none(7),
                                   .extra = row.text_or_none(8)};
               });
  }

  Status note_event(const EventLog& one) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(auto transaction, Transaction::begin(*store_));
    Statement put = store_->prepare(
        "INSERT INTO event_log (at, dag, task, run, event, logical_date, owner, extra) "
        "VALUES (?,?,?,?,?,?,?,?)");
    put.bind(one.at)
        .bind(one.dag)
        .bind(one.task)
        .bind(one.run)
        .bind(std::string_view(one.event))
        .bind(one.logical_date)
        .bind(std::string_view(one.owner))
        .bind(std::string_view(one.extra));
    TRY(put.run());
    Statement drop =
        store_->prepare("DELETE FROM event_log WHERE id <= (SELECT max(id) FROM event_log) - ?");
    drop.bind(kMostEventLogs);
    TRY(drop.run());
    return transaction.commit();
  }

  Result<std::vector<EventLog>> event_logs(std::optional<std::int64_t> id) override {
    const std::lock_guard lock(mutex_);
    Statement rows = store_->prepare(
        "SELECT id, at, dag, task, run, event, logical_date, owner, extra FROM event_log "
        "WHERE id = ?1 OR ?1 IS NULL ORDER BY id");
    rows.bind(id);
    return all(std::move(rows), [](const Statement& row) -> Result<EventLog> {
      return EventLog{.id = row.integer(0),
                      .at = row.integer(1),
                      .dag = row.text_or_none(2),
                      .task = row.text_or_none(3),
                      .run = row.text_or_none(4),
                      .event = row.text(5),
                      .logical_date = row.integer_or_none(6),
                      .owner = row.text(7),
                      .extra = row.text(8)};
    });
  }

  Result<std::int64_t> forget_before(sched::Micros end) override {
    const std::lock_guard lock(mutex_);
    Statement old = store_->prepare("SELECT dag, run FROM run WHERE ended_at < ?");
    old.bind(end);
    ASSIGN(const auto gone, all(std::move(old), [](const Statement& row) -> Result<sched::RunId> {
             return sched::RunId{row.text(0), row.text(1)};
           }));
    ASSIGN(auto transaction, Transaction::begin(*store_));
    for (const auto& id : gone) TRY(forget(id));
    TRY(transaction.commit());
    return static_cast<std::int64_t>(gone.size());
  }

  Metadata& at_once() override { return beside_ ? *beside_ : *this; }
  void give_up() override { store_->give_up(); }
  std::string trouble() override { return store_->trouble(); }

 private:
  Result<std::vector<sched::AssetEvent>> events_of(std::span<const std::int64_t> ids) {
    std::vector<sched::AssetEvent> found;
    for (const std::int64_t id : ids) {
      Statement row = store_->prepare(
          "SELECT id, uri, at, extra, source, aliases, count FROM asset_event WHERE id = ?1");
      row.bind(id);
      ASSIGN(const bool there, row.step());
      if (!there) continue;
      ASSIGN(auto event, read_event(row));
      found.push_back(std::move(event));
    }
    return found;
  }

  Result<std::vector<sched::TaskInstance>> tasks_of(const sched::RunId& id) {
    Statement rows = store_->prepare(
        "SELECT " TASK_COLUMNS " FROM task WHERE dag = ? AND run = ? ORDER BY task, map_index");
    bind(rows, id);
    return all(std::move(rows), read_task);
  }

  Status put(const sched::DagRow& dag) {
    const std::string last = dag.last_automated ? to_text(*dag.last_automated) : "";
    const std::string next = dag.next ? to_text(*dag.next) : "";
    const std::string pending = to_text(dag.pending_asset_events);
    Statement row = store_->prepare(kPutDag.c_str());
    row.bind(std::string_view(dag.id))
        .bind(dag.paused)
        .bind(std::string_view(last))
        .bind(std::string_view(next))
        .bind(std::string_view(pending))
        .bind(std::string_view(dag.version));
    return row.run();
  }

  Status put(const sched::Run& run) {
    ASSIGN(const std::string conf, jinja::to_json(run.conf));
    const std::string events = to_text(run.asset_events);
    std::optional<std::int64_t> start, end;
    if (run.interval) {
      start = run.interval->start;
      end = run.interval->end;
    }
    // Not "OR REPLACE": a second run of one logical date must fail, not push out the first.
    Statement row = store_->prepare(
        "INSERT INTO run (" RUN_COLUMNS
        ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT (dag, run) DO UPDATE SET state = excluded.state, logical_date = "
        "excluded.logical_date, interval_start = excluded.interval_start, interval_end = "
        "excluded.interval_end, run_after = excluded.run_after, queued_at = excluded.queued_at, "
        "started_at = excluded.started_at, ended_at = excluded.ended_at, conf = excluded.conf, "
        "dag_version = excluded.dag_version, note = excluded.note, asset_events = "
        "excluded.asset_events, clears = excluded.clears, deadlines_told = "
        "excluded.deadlines_told");
    bind(row, run.id)
        .bind(run.number)
        .bind(sched::name(run.type))
        .bind(sched::name(run.state))
        .bind(run.logical_date)
        .bind(start)
        .bind(end)
        .bind(run.run_after)
        .bind(run.queued_at)
        .bind(run.started_at)
        .bind(run.ended_at)
        .bind(std::string_view(conf))
        .bind(std::string_view(run.dag_version))
        .bind(std::string_view(run.triggered_by))
        .bind(std::string_view(run.note))
        .bind(run.backfill)
        .bind(run.backfill_ordinal)
        .bind(std::string_view(events))
        .bind(run.clears)
        .bind(static_cast<std::int64_t>(run.deadlines_told));
    return row.run();
  }

  Status put(const sched::TaskInstance& task) {
    const std::string skips = to_text(task.skips);
    Statement row = store_->prepare(kPutTask.c_str());
    bind(row, task.id)
        .bind(sched::name(task.state))
        .bind(task.try_number)
        .bind(task.max_tries)
        .bind(task.scheduled_at)
        .bind(task.queued_at)
        .bind(task.started_at)
        .bind(task.ended_at)
        .bind(task.next_at)
        .bind(task.first_started_at)
        .bind(task.returned)
        .bind(task.mapped_length)
        .bind(std::string_view(skips))
        .bind(std::string_view(task.note));
    TRY(row.run());
    return task.state == sched::TaskState::kNone ? drop_xcoms(task.id) : Status();
  }

  Status drop_xcoms(const sched::TaskId& task) {
    Statement drop = store_->prepare(
        "DELETE FROM xcom WHERE dag = ? AND run = ? AND task = ? AND map_index = ?");
    bind(drop, task);
    return drop.run();
  }

  Status put(const sched::AssetEvent& event) {
    ASSIGN(const std::string extra, jinja::to_json(event.extra));
    const std::string source = event.source ? to_text(*event.source) : "";
    const std::string aliases = to_text(event.aliases);
    Statement row = store_->prepare(kPutAssetEvent.c_str());
    row.bind(event.id)
        .bind(std::string_view(event.asset_uri))
        .bind(event.at)
        .bind(std::string_view(extra))
        .bind(std::string_view(source))
        .bind(std::string_view(aliases))
        .bind(event.count);
    return row.run();
  }

  Status put(const Cursor& cursor) {
    Statement row =
        cursor.value ? store_->prepare(kPutAssetCursor.c_str())
                     : store_->prepare("DELETE FROM asset_cursor WHERE source = ?1 AND part = ?2");
    row.bind(std::string_view(cursor.source)).bind(std::string_view(cursor.part));
    if (cursor.value) row.bind(std::string_view(*cursor.value));
    return row.run();
  }

  Status put(const Callback& callback) {
    Statement row = store_->prepare(
        "INSERT INTO callback (dag, run, task, map_index, name, reason, why) VALUES "
        "(?,?,?,?,?,?,?)");
    bind(row, callback.task)
        .bind(std::string_view(callback.name))
        .bind(std::string_view(callback.reason))
        .bind(std::string_view(callback.why));
    return row.run();
  }

  Status put(const sched::Pool& pool) {
    Statement row = store_->prepare(kPutPool.c_str());
    row.bind(std::string_view(pool.name))
        .bind(pool.slots)
        .bind(pool.include_deferred)
        .bind(std::string_view(pool.description));
    return row.run();
  }

  Status put(const sched::Backfill& one) {
    ASSIGN(const std::string conf, jinja::to_json(one.conf));
    Statement row = store_->prepare(kPutBackfill.c_str());
    row.bind(one.id)
        .bind(std::string_view(one.dag))
        .bind(one.from)
        .bind(one.to)
        .bind(one.max_active_runs)
        .bind(one.reverse)
        .bind(one.paused)
        .bind(static_cast<int>(one.reprocess))
        .bind(std::string_view(conf))
        .bind(one.created_at)
        .bind(one.completed_at);
    return row.run();
  }

  Status put(const sched::Numbers& numbers) {
    TRY(store_->prepare("DELETE FROM numbers").run());
    Statement row =
        store_->prepare("INSERT INTO numbers (runs, asset_events, backfills) VALUES (?,?,?)");
    row.bind(numbers.runs).bind(numbers.asset_events).bind(numbers.backfills);
    return row.run();
  }

  Status put(const sched::Gone& gone) {
    if (const auto* run = std::get_if<sched::RunId>(&gone.what)) return forget(*run);
    if (const auto* task = std::get_if<sched::TaskId>(&gone.what)) return forget(*task);
    if (const auto* dag = std::get_if<sched::GoneDag>(&gone.what)) return forget_dag(dag->id);
    Statement drop = store_->prepare("DELETE FROM pool WHERE name = ?");
    drop.bind(std::string_view(std::get<std::string>(gone.what)));
    return drop.run();
  }

  Status forget(const sched::RunId& id) {
    for (const char* sql :
         {"DELETE FROM xcom WHERE dag = ? AND run = ?", "DELETE FROM try WHERE dag = ? AND run = ?",
          "DELETE FROM rendered WHERE dag = ? AND run = ?",
          "DELETE FROM callback WHERE dag = ? AND run = ?",
          "DELETE FROM task WHERE dag = ? AND run = ?",
          "DELETE FROM run WHERE dag = ? AND run = ?"}) {
      Statement drop = store_->prepare(sql);
      bind(drop, id);
      TRY(drop.run());
    }
    return {};
  }

  Status forget_dag(const std::string& id) {
    for (const char* sql :
         {"DELETE FROM xcom WHERE dag = ?", "DELETE FROM try WHERE dag = ?",
          "DELETE FROM rendered WHERE dag = ?", "DELETE FROM callback WHERE dag = ?",
          "DELETE FROM task WHERE dag = ?", "DELETE FROM run WHERE dag = ?",
          "DELETE FROM backfill WHERE dag = ?", "DELETE FROM dag WHERE id = ?"}) {
      Statement drop = store_->prepare(sql);
      drop.bind(std::string_view(id));
      TRY(drop.run());
    }
    return {};
  }

  Status forget(const sched::TaskId& id) {
    for (const char* sql :
         {"DELETE FROM xcom WHERE dag = ? AND run = ? AND task = ? AND map_index = ?",
          "DELETE FROM try WHERE dag = ? AND run = ? AND task = ? AND map_index = ?",
          "DELETE FROM rendered WHERE dag = ? AND run = ? AND task = ? AND map_index = ?",
          "DELETE FROM task WHERE dag = ? AND run = ? AND task = ? AND map_index = ?"}) {
      Statement drop = store_->prepare(sql);
      bind(drop, id);
      TRY(drop.run());
    }
    return {};
  }

  std::mutex mutex_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<SqlMetadata> beside_;
  /// Statements that are put together, at addresses that stay.
  std::unordered_map<std::string, std::unique_ptr<std::string>> texts_;
};

/// `'queued', 'running'` of states, or nothing: names of ours, which need no quoting.
template <typename State>
std::string names_of(const std::vector<State>& states) {
  std::string text;
  for (const State state : states)
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", sched::name(state));
  return text;
}

Result<RunPage> SqlMetadata::runs(const RunFilter& filter) {
  std::string where =
      "(?1 = '' OR dag = ?1) AND run_after >= ?2 AND run_after <= ?3 AND "
      "(logical_date >= ?4 OR ?4 IS NULL) AND (logical_date <= ?5 OR ?5 IS NULL)";
  if (!filter.states.empty()) where += fmt::format(" AND state IN ({})", names_of(filter.states));
  if (!filter.types.empty()) where += fmt::format(" AND type IN ({})", names_of(filter.types));
  const std::lock_guard lock(mutex_);
  const auto ask = [&](const std::string& sql) -> Statement {
    const auto [at, made] = texts_.try_emplace(sql, std::make_unique<std::string>(sql));
    Statement statement = store_->prepare(at->second->c_str());
    statement.bind(std::string_view(filter.dag))
        .bind(filter.run_after_from.value_or(INT64_MIN))
        .bind(filter.run_after_to.value_or(INT64_MAX))
        .bind(filter.logical_from)
        .bind(filter.logical_to);
    return statement;
  };
  RunPage page;
  {
    Statement count = ask("SELECT count(*) FROM run WHERE " + where);
    ASSIGN(const bool there, count.step());
    if (there) page.total = count.integer(0);
  }
  const char* way = filter.newest_first ? "DESC" : "ASC";
  Statement rows = ask(fmt::format(
      "SELECT " RUN_COLUMNS " FROM run WHERE {0} ORDER BY {2}number {1} LIMIT ?6 OFFSET ?7", where,
      way, filter.by_number ? "" : fmt::format("run_after {}, ", way)));
  rows.bind(filter.limit).bind(filter.offset);
  ASSIGN(page.runs, all(std::move(rows), read_run));
  return page;
}

}  // namespace

std::unique_ptr<Metadata> make_metadata(std::unique_ptr<Store> store,
                                        std::unique_ptr<Store> beside) {
  return std::make_unique<SqlMetadata>(std::move(store), std::move(beside));
}

}  // namespace tailrace::metadata
