// What the scheduler keeps: runs, task instances, asset events, pools, backfills. Plain rows, as a
// store writes them; the words are Airflow's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "calendar/timetable.h"
#include "jinja/value.h"

namespace tailrace::sched {

using calendar::Micros;

enum class RunState { kQueued, kRunning, kSuccess, kFailed };
enum class RunType { kScheduled, kManual, kBackfill, kAssetTriggered, kAssetMaterialization };
enum class TaskState {
  kNone,
  kScheduled,
  kQueued,
  kRunning,
  kSuccess,
  kFailed,
  kSkipped,
  kUpstreamFailed,
  kUpForRetry,
  kUpForReschedule,
  kDeferred,
  kRemoved,
};
inline constexpr int kRunStates = 4;
inline constexpr int kTaskStates = 12;
std::string_view name(RunState state);   ///< `queued` …
std::string_view name(RunType type);     ///< Airflow's word: `scheduled`, `asset_triggered`
std::string_view name(TaskState state);  ///< `none`, `up_for_retry` …
bool is_finished(TaskState state);       ///< success, failed, skipped, upstream_failed, removed

struct RunId {
  std::string dag{}, run{};
  auto operator<=>(const RunId&) const = default;
};

/// One row of dag_run.
struct Run {
  RunId id{};               ///< run: scheduled__2026-01-01T00:00:00+00:00 and the like
  std::int64_t number = 0;  ///< in order of making, unique
  RunType type = RunType::kManual;
  RunState state = RunState::kQueued;
  std::optional<Micros> logical_date{};  ///< unique within the DAG where there is one
  std::optional<calendar::DataInterval> interval{};
  Micros run_after = 0;
  Micros queued_at = 0;
  std::optional<Micros> started_at{}, ended_at{};
  jinja::Value conf{};
  std::string dag_version{}, note{};
  std::string triggered_by{};                ///< WAY or WAY/USER: way_of, user_of
  std::int64_t backfill = 0;                 ///< 0: none
  int backfill_ordinal = 0;                  ///< its place in the backfill, from 1
  std::vector<std::int64_t> asset_events{};  ///< what it consumed
  int clears = 0;
  std::uint64_t deadlines_told = 0;  ///< bit i: the miss of the DAG's deadline i was told
};

struct TaskId {
  RunId run{};
  std::string task{};
  int map_index = -1;  ///< -1: not mapped, or not expanded yet
  auto operator<=>(const TaskId&) const = default;
};

/// One row of task_instance.
struct TaskInstance {
  TaskId id{};
  TaskState state = TaskState::kNone;
  int try_number = 0;  ///< 0 before the first
  int max_tries = 0;
  std::optional<Micros> scheduled_at{}, queued_at{}, started_at{}, ended_at{};
  std::optional<Micros> next_at{};  ///< when a retry, reschedule or deferral is due
  /// When the code of a try that has come back since began first: a sensor's times count from it.
  std::optional<Micros> first_started_at{};
  /// What its last success left for those that come after: whether it returned a value, how long
  /// that is where something expands over it, and which tasks directly downstream it skips
  /// (Airflow's XCom of branches and short circuits).
  bool returned = false;
  std::optional<std::int64_t> mapped_length{};
  std::vector<std::string> skips{};
  std::string note{};
};

/// How it was made: timetable, asset, backfill, operator, rest_api, ui, cli …
inline std::string_view way_of(const Run& run) {
  return std::string_view(run.triggered_by).substr(0, run.triggered_by.find('/'));
}
/// Who asked for it by the API; empty: nobody by name.
inline std::string_view user_of(const Run& run) {
  const auto at = run.triggered_by.find('/');
  return at == std::string::npos ? std::string_view()
                                 : std::string_view(run.triggered_by).substr(at + 1);
}

/// Whether a failure of its present try is not the end of it.
inline bool has_another_try(const TaskInstance& task) {
  return task.max_tries != 0 && task.try_number <= task.max_tries;
}

/// One row of asset_event.
struct AssetEvent {
  std::int64_t id = 0;  ///< in order
  std::string asset_uri{};
  Micros at = 0;
  jinja::Value extra{};            ///< a topic's: {"topic", "partition", "offset", "last_offset"}
  std::int64_t count = 1;          ///< how many happenings it stands for: records of a topic
  std::optional<TaskId> source{};  ///< the task that had it as an outlet
  std::vector<std::string> aliases{};  ///< by which the task named it
};

struct Pool {
  std::string name{};
  int slots = 128;  ///< -1: no limit
  bool include_deferred = false;
  std::string description{};
};

struct Backfill {
  std::int64_t id = 0;
  std::string dag{};
  Micros from = 0, to = 0;
  int max_active_runs = 10;
  bool reverse = false, paused = false;
  enum class Reprocess { kNone, kFailed, kCompleted } reprocess = Reprocess::kNone;
  jinja::Value conf{};
  Micros created_at = 0;
  std::optional<Micros> completed_at{};
};

/// What is known of a DAG beside its file.
struct DagRow {
  std::string id{};
  bool paused = true;
  std::optional<calendar::RunInfo> last_automated{};  ///< where its timetable goes on
  std::optional<calendar::RunInfo> next{};            ///< the run that comes next, of this version
  std::vector<std::int64_t> pending_asset_events{};   ///< arrived, not consumed
  std::string version{};
};

/// The last number given to each kind of row; one row in all.
struct Numbers {
  std::int64_t runs = 0, asset_events = 0, backfills = 0;
};

/// A DAG that was forgotten, with its runs and backfills, those that are not in memory, too.
struct GoneDag {
  std::string id;
};
/// A row that is gone: a run with its tasks, one task instance, a pool by name, a DAG.
struct Gone {
  std::variant<RunId, TaskId, std::string, GoneDag> what;
};
/// A row that is new or has changed, as a whole; or one that is gone.
using Change = std::variant<DagRow, Run, TaskInstance, AssetEvent, Pool, Backfill, Numbers, Gone>;

}  // namespace tailrace::sched
