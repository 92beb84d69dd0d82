// What the scheduler has in memory, private to the room. Each .cc file of the room implements one
// part: scheduler.cc the calls, making.cc runs and asset events, evaluation.cc what tasks may run,
// queueing.cc slots, finishing.cc ends, edits.cc what people change.
#pragma once

#include <array>
#include <compare>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "sched/assets.h"
#include "sched/plan.h"
#include "sched/scheduler.h"
#include "sched/trigger_rule.h"

namespace tailrace::sched {

struct DagState;

struct Slot {
  TaskInstance row;
  bool touched = false;
};

/// The instances of one task in one run: one with map index −1, or those from 0 on.
struct TaskSlots {
  std::vector<Slot> slots;
  std::array<int, kTaskStates> counts{};  ///< by state

  Slot* find(int map_index);
  int count(TaskState state) const { return counts[static_cast<std::size_t>(state)]; }
  int size() const { return static_cast<int>(slots.size()); }
  int finished() const;
};

/// The order in which scheduled tasks of one run get slots.
struct ReadyKey {
  std::int64_t minus_weight;
  int map_index, task;
  auto operator<=>(const ReadyKey&) const = default;
};

struct LiveRun {
  Run row;
  DagState* dag = nullptr;
  std::shared_ptr<const Plan> plan;  ///< null: no version of its DAG is known
  std::vector<TaskSlots> tasks;      ///< as in `plan`
  std::vector<TaskInstance> others;  ///< of tasks that `plan` has not, or before there is a plan
  bool made = false;                 ///< has its task instances
  bool touched = false, dirty = false;
  int unfinished = 0, active = 0;  ///< active: queued or running
  std::set<ReadyKey> ready;        ///< scheduled

  bool finished() const {
    return row.state == RunState::kSuccess || row.state == RunState::kFailed;
  }
};

/// The order in which queued runs of one DAG start.
struct QueuedKey {
  int backfill_ordinal;
  Micros run_after;
  std::int64_t number;
  auto operator<=>(const QueuedKey&) const = default;
};

struct DagState {
  DagRow row;
  std::shared_ptr<const Plan> plan;  ///< the present version; null: its file is gone
  AssetBatch batch;
  int number = 0;  ///< in memory only
  std::map<std::string, std::unique_ptr<LiveRun>, std::less<>> runs;
  std::map<Micros, LiveRun*> by_date;
  std::map<std::int64_t, LiveRun*> by_number;
  std::set<QueuedKey> queued;
  std::map<std::int64_t, int> running;      ///< by backfill; 0: the other runs
  int active = 0;                           ///< runs queued or running, without backfills
  std::map<std::string, int> active_tasks;  ///< of tasks with max_active_tis_per_dag
  std::deque<std::int64_t> finished;        ///< run numbers in memory, as they finished
  bool touched = false;
  bool forgotten = false;  ///< nothing of it is kept any more

  bool can_run() const { return plan != nullptr && !row.paused; }
};

struct PoolState {
  Pool row;
  std::int64_t used = 0, deferred = 0;  ///< slots

  bool has_room(int slots) const;
};

struct Timer {
  enum class Kind { kDag, kBatch, kRun, kRunTimeout, kDeadline, kTask };
  Micros at;
  Kind kind;
  std::int64_t id;  ///< of a DAG in memory, or a run's number
  int task = 0, map_index = 0;
  auto operator<=>(const Timer&) const = default;
};

/// A task instance in memory; without a slot: there is none.
struct LiveTask {
  LiveRun* run = nullptr;
  int task = -1;
  Slot* slot = nullptr;
};

class Scheduler::State {
 public:
  explicit State(Settings settings);

  void restore(std::vector<Change> rows);
  void recall(std::vector<Change> rows);
  Effects set_dags(std::vector<std::shared_ptr<const dags::Dag>> dags, Micros now);
  Result<Effects> handle(const Event& event, Micros now);
  Effects tick(Micros now);
  std::optional<Micros> wake_at();
  std::int64_t room(std::string_view uri) const;

  LiveRun* find(const RunId& id) const;
  LiveTask find(const TaskId& id) const;
  DagState* find_dag(std::string_view id) const;
  const std::map<std::string, PoolState, std::less<>>& pools() const { return pools_; }
  std::vector<std::string> why_waiting(const TaskId& id, Micros now);
  Census census() const;

 private:
  struct Decision {
    bool met = true;
    std::optional<TaskState> becomes;
  };
  /// Instances of an upstream task that matter to one instance: all, or [from, to).
  struct Relevant {
    bool all = true;
    std::int64_t from = 0, to = 0;
  };

  // scheduler.cc
  DagState& dag(const std::string& id);
  LiveRun& add_run(Run row);
  void load(std::vector<Change> rows);
  void place(LiveRun& run, TaskInstance row);
  void touch(DagState& dag);
  void touch(LiveRun& run);
  void touch(LiveRun& run, Slot& slot);
  void mark_dirty(LiveRun& run);
  Effects end_turn();
  void settle(Micros now);
  void fire(const Timer& timer, Micros now);
  bool is_due(const Timer& timer) const;
  LiveRun* by_number(std::int64_t number) const;

  // making.cc
  void make_due_run(DagState& dag, Micros now);
  LiveRun& make_run(DagState& dag, Run row, Micros now);
  void attach(LiveRun& run, std::shared_ptr<const Plan> plan, Micros now);
  void instantiate(LiveRun& run, Micros now);
  void make_instances(LiveRun& run, int task, Micros now);
  void add_instance(LiveRun& run, int task, int map_index, TaskState state);
  void start_runs(DagState& dag, Micros now);
  void set_timers(LiveRun& run, Micros now);
  std::optional<Micros> average_runtime(const LiveRun& run, const dags::Deadline& deadline) const;
  void asset_happened(AssetEvent event, Micros now);
  std::int64_t pending(const DagState& dag) const;
  void make_asset_runs(DagState& dag, Micros now);
  void make_asset_run(DagState& dag, std::size_t events, Micros now);
  void release_event(std::int64_t id);
  bool in_range(const LiveRun& run, const dags::Task& task) const;

  // evaluation.cc
  void evaluate(LiveRun& run, Micros now);
  bool pass(LiveRun& run, Micros now);
  Decision decide(LiveRun& run, int task, const TaskInstance& row, bool ignore_time, Micros now,
                  std::vector<std::string>* why = nullptr);
  bool past_allows(const LiveRun& run, const PlanTask& task, std::vector<std::string>* why) const;
  Decision trigger(LiveRun& run, int task, const TaskInstance& row, std::vector<std::string>* why);
  bool scope_is_done(LiveRun& run, int task, const TaskInstance& row);
  UpstreamCounts count(LiveRun& run, int task, const TaskInstance& row,
                       const std::vector<int>& upstream, bool expands);
  Relevant relevant(LiveRun& run, int task, const TaskInstance& row, int upstream);
  bool was_skipped(LiveRun& run, const PlanTask& task, const TaskInstance& row) const;
  std::optional<TaskState> expansion_failed(LiveRun& run, const PlanTask& task, bool* met) const;
  std::optional<std::int64_t> mapped_count(const LiveRun& run, int task) const;
  std::optional<std::int64_t> group_count(const LiveRun& run, int group) const;
  std::optional<std::int64_t> length(const LiveRun& run, const dags::Expansion& expansion) const;
  std::optional<std::int64_t> length(const LiveRun& run, const jinja::Value& value) const;
  /// Whether it had many instances to make (or none, and is finished).
  bool expand(LiveRun& run, int task, Micros now);
  void revise(LiveRun& run, int task, std::vector<std::pair<int, int>>& ready, Micros now);
  void schedule(LiveRun& run, int task, Slot& slot, Micros now);
  bool deadlocked(LiveRun& run, Micros now);

  // queueing.cc
  void queue_tasks(Micros now);
  bool queue_task(LiveRun& run, int task, int map_index, Micros now);
  void set_state(LiveRun& run, int task, Slot& slot, TaskState to, Micros now);
  void occupy(LiveRun& run, int task, TaskState state, int sign);
  void explain_slots(LiveRun& run, int task, std::vector<std::string>& why);

  // finishing.cc
  Status started(const Started& event, Micros now);
  Status finished(const Finished& event, Micros now);
  Status lost(const Lost& event, Micros now);
  Status interrupted(const Interrupted& event, Micros now);
  Status resume(const Resume& event, Micros now);
  void succeed(LiveRun& run, int task, Slot& slot, const Finished& event, Micros now);
  void fail(LiveRun& run, int task, Slot& slot, bool for_good, const std::string& why, Micros now);
  void stop(Slot& slot, std::string why);
  void stop_others(LiveRun& run, int failed, Micros now);
  void skip(LiveRun& run, int task, int map_index, Micros now);
  void tell(Notice::Kind kind, const LiveRun& run, const Slot* slot, std::string why,
            std::string reason = {});
  void conclude(LiveRun& run, Micros now);
  /// `reason`: Notice's; empty where somebody has set the state.
  void finish_run(LiveRun& run, RunState state, std::string why, Micros now,
                  std::string reason = {});
  void time_out(LiveRun& run, Micros now);
  void leave_active(LiveRun& run);
  void pause_after_failures(DagState& dag);
  void complete_backfill(std::int64_t id, Micros now);
  void forget_finished(DagState& dag);
  void forget(LiveRun& run);
  bool is_needed(const DagState& dag, const LiveRun& run) const;

  // edits.cc
  Status trigger_run(const Trigger& event, Micros now);
  Status clear(const Clear& event, Micros now);
  /// Instances of `tasks` but `except` that `wanted` names, where it says which.
  void clear_tasks(LiveRun& run, const std::vector<bool>& tasks, const Clear& wanted, int except,
                   Micros now);
  Status set_note(const SetNote& event);
  Status set_task(const SetTask& event, Micros now);
  Status set_run(const SetRun& event, Micros now);
  void end_run(LiveRun& run, RunState state, Micros now);
  Status delete_run(const DeleteRun& event, Micros now);
  Status forget_dag(const ForgetDag& event, Micros now);
  Status drop_pending(const DropPending& event);
  Status pause(const Pause& event, Micros now);
  Status set_pool(const SetPool& event);
  Status drop_pool(const DropPool& event);
  Status make_backfill(const MakeBackfill& event, Micros now);
  void add_to_backfill(DagState& dag, const Backfill& backfill, const calendar::RunInfo& info,
                       int ordinal, Micros now);
  Status set_backfill(const SetBackfill& event, Micros now);

  Settings settings_;
  std::map<std::string, std::unique_ptr<DagState>, std::less<>> dags_;
  std::vector<DagState*> numbered_dags_;
  std::unordered_map<std::int64_t, LiveRun*> numbered_runs_;
  std::unordered_map<std::string, std::vector<DagState*>> listeners_;
  struct HeldEvent {
    AssetEvent event;
    int holders = 0;
  };
  std::map<std::int64_t, HeldEvent> events_;  ///< pending somewhere
  std::map<std::string, PoolState, std::less<>> pools_;
  std::map<std::int64_t, Backfill> backfills_;  ///< not complete
  Numbers numbers_;
  int active_ = 0;  ///< task instances queued or running
  std::set<Timer> timers_;
  std::set<std::int64_t> runs_with_ready_;

  // This turn's.
  std::vector<LiveRun*> dirty_;
  std::set<int> dags_to_check_;  ///< by DagState::number: due runs, asset runs, queued runs
  bool more_ = false;            ///< there is more to do at once
  Effects effects_;
  std::vector<DagState*> touched_dags_;
  std::vector<LiveRun*> touched_runs_;
  struct TouchedSlot {
    LiveRun* run;
    std::string task;
    int map_index;
  };
  std::vector<TouchedSlot> touched_slots_;
  bool touched_numbers_ = false;
  std::vector<LiveRun*> to_forget_;  ///< at the end of the turn
  std::map<int, int> made_;          ///< runs by their DAG's timetable
  std::set<int> again_;              ///< DAGs to look at in the next turn
  bool starts_told_ = false;         ///< what was queued when all stopped is in the starts
};

}  // namespace tailrace::sched
