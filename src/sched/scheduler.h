// The scheduler as a pure state machine: events and the time go in, rows to keep and tasks to start
// come out. No clock, no thread, no disk.
//
// The order of calls: restore() once, set_dags(), then handle() and tick() at wake_at(). Who drives
// it keeps the `changes` of each answer in one transaction before it acts on the rest; after a
// crash restore() with the kept rows goes on where they say. Deterministic: the same calls give the
// same answers.
//
// A task's code runs at most once for each try, whatever crashes: a Start makes ready a process,
// which begins the task's code only when the changes that answer its `Started` are kept. What was
// queued and not started at a crash is in the starts of set_dags() again; of what was running the
// driver says Lost, or nothing where the process lives.
//
// Only what still matters is in memory. A finished run is forgotten after some more have finished
// (Settings); wanted() says what an event needs of those, and recall() brings it back.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "dags/dag.h"
#include "sched/rows.h"

namespace tailrace::sched {

struct Settings {
  int parallelism = 32;  ///< tasks queued or running at once
  /// Of one DAG in one answer, so that a catch-up does not starve others; wake_at() says that there
  /// is more to do.
  int max_runs_made_at_once = 10;
  /// In memory, of each DAG; more where its settings look back further.
  int finished_runs_kept = 2;
  /// Runs of one DAG queued or running at which sources of events wait (room()).
  int max_waiting_runs = 1000;
  int max_map_length = 1024;  ///< a longer return value that something expands over fails its task
  bool paused_at_creation = false;  ///< Airflow's default is true; a project folder is meant to run
};

// --- what comes in -------------------------------------------------------------------------------

/// A task's process runs.
struct Started {
  TaskId task;
  int try_number;
};

struct AliasedEvent {
  std::string alias, uri;
  jinja::Value extra;
};

/// A task's end, of the try that `try_number` names; of another try it is ignored.
struct Finished {
  TaskId task;
  int try_number;
  enum class How { kSuccess, kFailed, kFailedForGood, kSkipped, kReschedule, kDefer } how;
  std::optional<Micros> at;       ///< kReschedule, kDefer: when to look again
  std::optional<Micros> began{};  ///< kReschedule, kDefer: when its code began
  /// A branch's choice: direct downstream tasks to skip (with what only they lead to); of a short
  /// circuit every downstream.
  std::optional<std::vector<std::string>> skip;
  bool skip_all_downstream = false;
  bool ignore_downstream_trigger_rules = true;  ///< of a short circuit
  bool returned = false;                        ///< whether it left a return value (XCom), not None
  /// How long its return value is when something expands over it: lists and dicts only.
  std::optional<std::int64_t> mapped_length;
  std::vector<std::pair<std::string, jinja::Value>> asset_extra;  ///< outlets' URI → extra
  /// What it has told of assets by an alias that it has as an outlet.
  std::vector<AliasedEvent> aliased;
};

/// What a deferred task waits for has come: it goes on, in the same try.
struct Resume {
  TaskId task;
  int try_number;
};

/// By URI or by name.
struct AssetHappened {
  std::string uri;
  jinja::Value extra;
  std::vector<std::string> aliases;
  std::int64_t count = 1;  ///< how many happenings it stands for; batches count them
};
/// Someone asks for a run. Without a run id: Airflow's manual__….
struct Trigger {
  std::string dag;
  std::optional<std::string> run_id;
  std::optional<Micros> logical_date, run_after;
  jinja::Value conf;
  std::string by, note;
  std::optional<calendar::DataInterval> interval = {};  ///< none: as the timetable infers it
  bool materializes = false;  ///< asked for by an asset that the DAG makes
};
/// Task instances back to none, their runs back to queued. Empty tasks: all of the run.
struct Clear {
  RunId run;
  std::vector<std::string> tasks;
  bool only_failed = false, upstream = false, downstream = false, past = false, future = false;
  bool new_version = false;  ///< with the DAG's present version
  bool only_running = false;
  std::map<std::string, std::set<int>> map_indexes = {};  ///< of a task: these instances alone
};
/// What people write on a run or, with a task, on its instance; empty: nothing.
struct SetNote {
  RunId run;
  std::optional<TaskId> task;
  std::string note;
};
struct SetTask {
  TaskId task;
  TaskState state;
  bool upstream = false, downstream = false;
};
struct SetRun {
  RunId run;
  RunState state;
};
struct DeleteRun {
  RunId run;
};
/// All that is known of a DAG goes; it is new when set_dags() has it again.
struct ForgetDag {
  std::string dag;
};
/// Happenings that a DAG has not consumed go: of these assets, by URI or name (empty: of all), and
/// before a time.
struct DropPending {
  std::string dag;
  std::set<std::string> assets = {};
  std::optional<Micros> before = {};
};
struct Pause {
  std::string dag;
  bool paused;
};
struct SetPool {
  Pool pool;
};
struct DropPool {
  std::string name;
};
struct MakeBackfill {
  Backfill wanted;
};
struct SetBackfill {
  std::int64_t id;
  bool paused, cancelled;
};
/// A task whose process is gone without a word (after a crash, or its heartbeat stopped).
struct Lost {
  TaskId task;
  int try_number;
};
/// A running task that was stopped because all stops: it is tried again, and none of its retries is
/// used up.
struct Interrupted {
  TaskId task;
  int try_number;
};

using Event = std::variant<Started, Finished, Resume, AssetHappened, Trigger, Clear, SetTask,
                           SetRun, DeleteRun, Pause, SetPool, DropPool, MakeBackfill, SetBackfill,
                           SetNote, Lost, Interrupted, ForgetDag, DropPending>;

// --- what comes out ------------------------------------------------------------------------------

struct Start {
  TaskId task;
  int try_number;
};
struct Stop {
  TaskId task;
  int try_number;
  std::string why;
};
/// Something to tell: callbacks, alerts.
struct Notice {
  enum class Kind {
    kRunFinished,
    kTaskFailed,
    kTaskRetry,
    kTaskSucceeded,
    kTaskSkipped,
    kDeadlineMissed
  } kind;
  RunId run;
  std::optional<TaskId> task;
  std::string why;
  /// Of a run, in Airflow's words: success, task_failure, all_tasks_deadlocked, timed_out; empty:
  /// somebody set its state. Of a deadline: its place among the DAG's.
  std::string reason = {};
};

struct Effects {
  std::vector<Change> changes;
  std::vector<Stop> stops;
  std::vector<Start> starts;  ///< by priority
  std::vector<Notice> notices;
};

/// Finished runs that an event needs in memory: one by its id, or all of the DAG from one logical
/// date to another; with `before` also those that came before it by logical date, back to the last
/// one that is not manual.
struct Wanted {
  std::string dag;
  std::optional<std::string> run{};
  std::optional<Micros> from{}, to{};
  bool before = false;
};

/// How many there are now, of runs that are not finished.
struct Census {
  std::array<std::int64_t, kRunStates> runs{};    ///< by RunState
  std::array<std::int64_t, kTaskStates> tasks{};  ///< by TaskState
  struct PoolUse {
    std::string name;
    int slots = 0;                        ///< -1: no limit
    std::int64_t used = 0, deferred = 0;  ///< slots
  };
  std::vector<PoolUse> pools;
};

class Scheduler {
 public:
  explicit Scheduler(Settings settings);
  ~Scheduler();

  /// What was kept, before anything else: all rows of DAGs, pools, numbers, backfills that are not
  /// complete, runs that are not finished with their task instances, asset events that are pending;
  /// of each DAG the last finished runs (Settings::finished_runs_kept, or
  /// max_consecutive_failed_runs).
  void restore(std::vector<Change> rows);

  /// Which finished runs handle() of this event looks at that may be forgotten: look them up, and
  /// recall() them with their task instances first. Those that are in memory may be among them.
  std::vector<Wanted> wanted(const Event& event) const;
  void recall(std::vector<Change> rows);

  /// The DAGs of the project now. Runs under way keep the tasks of the version they began with
  /// where that is still known, else tasks that are gone become removed, as Airflow does.
  Effects set_dags(std::vector<std::shared_ptr<const dags::Dag>> dags, Micros now);

  /// An event, and all that follows from it now. kNotFound, kAlreadyExists (a run id or logical
  /// date that is there), kFailedPrecondition with a sentence; then nothing has changed.
  Result<Effects> handle(const Event& event, Micros now);

  /// What time alone brings: runs due, retries, reschedules, deadlines, runs that take too long.
  Effects tick(Micros now);
  /// When tick() has something to do next; none: not until an event.
  std::optional<Micros> wake_at() const;

  /// How many happenings of an asset may come as one event now, so that each declared batch is as
  /// large as it says: 1 where a DAG that listens declares none; 0 while one has max_waiting_runs.
  std::int64_t room(std::string_view uri) const;

  const Run* find(const RunId& id) const;
  std::vector<const TaskInstance*> tasks(
      const RunId& id) const;  ///< in topological order, then map index
  std::vector<const Run*> runs(std::string_view dag) const;  ///< those in memory, in order
  const DagRow* row(std::string_view dag) const;
  std::vector<const Pool*> pools() const;
  Census census() const;
  /// Why a task that is not running is not: the sentences of Airflow's `task state` dependencies.
  std::vector<std::string> why_waiting(const TaskId& task, Micros now) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace tailrace::sched
