// What workflows keep: runs, task instances and their tries, XComs, variables, connections. In an
// SQLite file or a PostgreSQL database, by URL.
//
// Threads: any; one transaction at a time. What keep() returned from is on the disk.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/airflow_context.h"
#include "jinja/value.h"
#include "sched/rows.h"
#include "sched/scheduler.h"

namespace tailrace::metadata {

/// Airflow's Variable.
struct Variable {
  std::string key, value, description;
};

/// `password` and `extra` are secrets: never in a log or an answer.
using Connection = jinja::Connection;

/// One try of a task instance that is over, or under way.
struct Try {
  sched::TaskId task;
  int number = 0;
  sched::TaskState state = sched::TaskState::kRunning;
  std::optional<sched::Micros> started_at, ended_at;
  int pid = 0;
  std::string why;  ///< of a failure, one line
};

/// How far a source of asset events was told of (workflows/asset_sources.h).
struct Cursor {
  std::string source, part;          ///< an asset's URI; a partition, a file's path
  std::optional<std::string> value;  ///< none: it is gone
};

/// A callback of a run, of a deadline or of a task whose try went with the program, which is to be
/// called.
struct Callback {
  sched::TaskId task;   ///< of a run or a deadline: without a task's name
  std::string name;     ///< on_success_callback, on_failure_callback, on_retry_callback, deadline
  std::string reason;   ///< of a run: sched::Notice's; of a deadline: its place among the DAG's
  std::string why;      ///< of a task: what became of the try
  std::int64_t id = 0;  ///< given by keep()
};

/// What a task's templates came to in its last try.
struct Rendered {
  jinja::Dict fields;     ///< by their names; without secrets
  std::string map_index;  ///< of map_index_template; empty: there is none
};

/// Somebody asked for something through the API.
struct EventLog {
  std::int64_t id = 0;  ///< given when it is noted
  sched::Micros at = 0;
  std::optional<std::string> dag = {}, task = {}, run = {};
  std::string event;
  std::optional<sched::Micros> logical_date = {};
  std::string owner, extra;  ///< who; the request as JSON
};

/// Which runs; empty or none means all.
struct RunFilter {
  std::string dag;
  std::vector<sched::RunState> states = {};
  std::vector<sched::RunType> types = {};
  std::optional<sched::Micros> run_after_from = {}, run_after_to = {};
  std::optional<sched::Micros> logical_from = {}, logical_to = {};
  bool newest_first = true;
  bool by_number = false;  ///< in the order of making; else by run_after
  std::int64_t offset = 0, limit = 100;
};

struct RunPage {
  std::vector<sched::Run> runs;
  std::int64_t total = 0;
};

/// Where it is kept.
struct Place {
  /// `sqlite:///PATH` (made when it is not there, readable by its owner only) or
  /// `postgresql://USER@HOST:PORT/DATABASE`, whose server may go and come back: calls wait for it.
  std::string url;
  std::string user = {}, password = {};  ///< beside those of a PostgreSQL's URL
  std::string schema = "tailrace";       ///< in a PostgreSQL; made unless it is there
};

class Metadata {
 public:
  /// kFailedPrecondition when it is a newer program's. In PostgreSQL whoever had the same schema
  /// open before can keep nothing more: kFailedPrecondition.
  static Result<std::unique_ptr<Metadata>> open(const Place& place);
  virtual ~Metadata() = default;

  /// What Scheduler::restore needs: DAGs, pools, backfills, runs that are not finished with their
  /// tasks, the last runs of each DAG with theirs, asset events not consumed.
  virtual Result<std::vector<sched::Change>> load() = 0;
  /// Finished runs with their tasks that Scheduler::wanted() asks for.
  virtual Result<std::vector<sched::Change>> recall(const sched::Wanted& wanted) = 0;
  /// All or nothing: an asset event with the cursor that says it was told. A task instance that
  /// goes back to none loses its XComs.
  virtual Status keep(std::span<const sched::Change> changes, std::span<const Cursor> cursors = {},
                      std::span<const Callback> callbacks = {}) = 0;
  virtual Result<std::vector<Cursor>> cursors() = 0;
  /// Those that are still to be called, in their order.
  virtual Result<std::vector<Callback>> callbacks() = 0;
  virtual Status drop_callback(std::int64_t id) = 0;

  virtual Status keep_rendered(const sched::TaskId& task, const Rendered& rendered) = 0;
  virtual Result<std::optional<Rendered>> rendered(const sched::TaskId& task) = 0;
  /// The try's row, made or replaced.
  virtual Status keep_try(const Try& one) = 0;

  virtual Result<RunPage> runs(const RunFilter& filter) = 0;
  virtual Result<std::optional<sched::Run>> run(const sched::RunId& id) = 0;
  virtual Result<std::vector<sched::TaskInstance>> tasks(const sched::RunId& run) = 0;
  virtual Result<std::vector<Try>> tries(const sched::TaskId& task) = 0;
  /// Newest first; of one asset where `uri` is not empty.
  virtual Result<std::vector<sched::AssetEvent>> asset_events(std::string_view uri,
                                                              std::int64_t limit) = 0;
  /// All of a DAG, also those that are complete, by their numbers.
  virtual Result<std::vector<sched::Backfill>> backfills(std::string_view dag) = 0;
  /// By their ids; what is not there is left out.
  virtual Result<std::vector<sched::AssetEvent>> asset_events(
      std::span<const std::int64_t> ids) = 0;
  /// Tries that were under way when the program went.
  virtual Result<std::vector<Try>> unfinished_tries() = 0;

  virtual Status put_xcom(const sched::TaskId& task, std::string_view key,
                          const jinja::Value& value) = 0;
  /// One instance's; of a mapped task with map_index -1: a list in the order of its instances.
  virtual Result<std::optional<jinja::Value>> xcom(const sched::TaskId& task,
                                                   std::string_view key) = 0;
  /// Of every instance of the task, in their order; empty: none.
  virtual Result<jinja::List> xcoms(const sched::TaskId& task, std::string_view key) = 0;
  /// With those of the DAG's runs before that one, by logical date (where there is none, by
  /// run_after): of every instance in their order, or `one`: the latest of the instance alone.
  virtual Result<jinja::List> prior_xcoms(const sched::TaskId& task, std::string_view key,
                                          bool one) = 0;
  virtual Status clear_xcoms(const sched::TaskId& task) = 0;
  virtual Status drop_xcom(const sched::TaskId& task, std::string_view key) = 0;
  virtual Result<std::vector<std::string>> xcom_keys(const sched::TaskId& task) = 0;

  virtual Status set_variable(const Variable& variable) = 0;
  virtual Status drop_variable(std::string_view key) = 0;
  virtual Result<std::vector<Variable>> variables() = 0;
  virtual Status set_connection(const Connection& connection) = 0;
  virtual Status drop_connection(std::string_view id) = 0;
  virtual Result<std::vector<Connection>> connections() = 0;

  /// The last 100,000 are kept.
  virtual Status note_event(const EventLog& one) = 0;
  /// In their order; `id`: that one, where it is there.
  virtual Result<std::vector<EventLog>> event_logs(std::optional<std::int64_t> id = {}) = 0;

  /// Runs that ended before it go, with all that belongs to them; how many went.
  virtual Result<std::int64_t> forget_before(sched::Micros end) = 0;

  /// The same for who has to answer somebody: its calls do not wait, and are kUnavailable while
  /// the server is away.
  virtual Metadata& at_once() = 0;
  /// From any thread: what waits for the server ends with kUnavailable, and nothing waits any more.
  virtual void give_up() = 0;
  /// From any thread: why calls wait just now; empty: they do not.
  virtual std::string trouble() = 0;
};

/// A connection from Airflow's texts: a URI or JSON, as in AIRFLOW_CONN_NAME.
Result<Connection> parse_connection(std::string_view id, std::string_view text);

}  // namespace tailrace::metadata
