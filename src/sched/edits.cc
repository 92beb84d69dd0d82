// What people change: runs asked for, cleared, set, deleted; DAGs paused; pools; backfills.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "sched/state.h"

namespace tailrace::sched {
namespace {

std::string iso(Micros instant) {
  return calendar::isoformat({.instant = instant, .zone = calendar::Zone::utc()});
}

std::unexpected<Error> no_run(const RunId& id) {
  return error(Code::kNotFound, fmt::format("DAG {} has no run {}", id.dag, id.run));
}

bool is_active(TaskState state) {
  return state == TaskState::kQueued || state == TaskState::kRunning;
}

/// DagRunType.from_run_id: ids that only the scheduler gives.
std::optional<RunType> reserved_for(std::string_view run_id) {
  for (RunType type : {RunType::kScheduled, RunType::kBackfill, RunType::kAssetTriggered,
                       RunType::kAssetMaterialization}) {
    if (run_id.starts_with(std::string(name(type)) + "__")) return type;
  }
  return std::nullopt;
}

/// Whether it is one that the event means, of a task that it means.
bool is_wanted(const Clear& event, const TaskInstance& row) {
  const bool failed = row.state == TaskState::kFailed || row.state == TaskState::kUpstreamFailed;
  if (row.state == TaskState::kRemoved || (event.only_failed && !failed)) return false;
  if (event.only_running && row.state != TaskState::kRunning) return false;
  const auto indexes = event.map_indexes.find(row.id.task);
  return indexes == event.map_indexes.end() || indexes->second.contains(row.id.map_index);
}

bool has_interval(const calendar::Timetable& timetable) {
  using namespace calendar;
  return std::holds_alternative<CronTrigger>(timetable.kind()) ||
         std::holds_alternative<CronInterval>(timetable.kind()) ||
         std::holds_alternative<DeltaTrigger>(timetable.kind()) ||
         std::holds_alternative<DeltaInterval>(timetable.kind());
}

}  // namespace

// --- runs ----------------------------------------------------------------------------------------

Status Scheduler::State::trigger_run(const Trigger& event, Micros now) {
  DagState* dag = find_dag(event.dag);
  if (dag == nullptr || dag->plan == nullptr) {
    return error(Code::kNotFound, fmt::format("there is no DAG {}", event.dag));
  }
  Run run;
  run.type = event.materializes ? RunType::kAssetMaterialization : RunType::kManual;
  run.run_after = event.run_after.value_or(now);
  run.logical_date = event.logical_date;
  if (event.logical_date) {
    run.interval = event.interval ? event.interval
                                  : dag->plan->dag().timetable.manual_interval(*event.logical_date);
  }
  run.conf = event.conf;
  run.triggered_by = event.by;
  run.note = event.note;
  run.id.dag = event.dag;
  if (event.run_id) {
    run.id.run = *event.run_id;
  } else if (event.logical_date) {
    run.id.run = "manual__" + iso(run.run_after);
  } else {
    run.id.run = fmt::format("manual__{}_{:08}", iso(run.run_after), numbers_.runs + 1);
  }
  if (auto type = reserved_for(run.id.run); type && !event.materializes) {
    return error(Code::kInvalidArgument, fmt::format("run id {} is kept for {} runs; take another",
                                                     run.id.run, name(*type)));
  }
  if (dag->runs.contains(run.id.run)) {
    return error(Code::kAlreadyExists,
                 fmt::format("DAG {} has a run {} already", event.dag, run.id.run));
  }
  if (event.logical_date && dag->by_date.contains(*event.logical_date)) {
    return error(
        Code::kAlreadyExists,
        fmt::format("DAG {} has a run with logical date {} already: {}", event.dag,
                    iso(*event.logical_date), dag->by_date.at(*event.logical_date)->row.id.run));
  }
  make_run(*dag, std::move(run), now);
  return {};
}

Status Scheduler::State::clear(const Clear& event, Micros now) {
  LiveRun* first = find(event.run);
  if (first == nullptr) return no_run(event.run);
  DagState& dag = *first->dag;
  if (first->plan == nullptr || dag.plan == nullptr) {
    return error(Code::kFailedPrecondition, fmt::format("the file of DAG {} is gone", dag.row.id));
  }
  std::vector<LiveRun*> runs{first};
  if (first->row.logical_date) {
    for (auto& [date, run] : dag.by_date) {
      bool wanted = (event.past && date < *first->row.logical_date) ||
                    (event.future && date > *first->row.logical_date);
      if (wanted) runs.push_back(run);
    }
  }
  const Plan& plan = event.new_version ? *dag.plan : *first->plan;
  std::vector<std::string> ids = event.tasks;
  for (const std::string& id : ids) {
    if (plan.find(id) < 0) {
      return error(Code::kNotFound, fmt::format("DAG {} has no task {}", dag.row.id, id));
    }
  }
  for (LiveRun* run : runs) {
    if (event.new_version && run->plan != dag.plan) {
      run->row.dag_version.clear();  // so that attach() makes what is new
      bool was_finished = run->finished();
      if (was_finished) run->row.state = RunState::kQueued;
      attach(*run, dag.plan, now);
      if (was_finished) run->row.state = RunState::kSuccess;
    }
    std::vector<int> tasks;
    for (const std::string& id : ids) {
      if (int task = run->plan->find(id); task >= 0) tasks.push_back(task);
    }
    std::vector<bool> wanted = ids.empty()
                                   ? std::vector<bool>(run->tasks.size(), true)
                                   : run->plan->subset(tasks, event.upstream, event.downstream);
    clear_tasks(*run, wanted, event, -1, now);
  }
  return {};
}

/// Airflow's clear_task_instances: back to none with all its retries; the run is queued again.
void Scheduler::State::clear_tasks(LiveRun& run, const std::vector<bool>& tasks,
                                   const Clear& wanted, int except, Micros now) {
  bool any = false;
  for (int task = 0; task < run.plan->size(); ++task) {
    if (!tasks[static_cast<std::size_t>(task)] || task == except) continue;
    for (Slot& slot : run.tasks[static_cast<std::size_t>(task)].slots) {
      TaskInstance& row = slot.row;
      if (!is_wanted(wanted, row)) continue;
      if (is_active(row.state)) stop(slot, "it was cleared");
      any = true;
      row.max_tries = row.try_number + (*run.plan)[task].task->retries;
      row.next_at.reset();
      row.scheduled_at.reset();
      row.queued_at.reset();
      row.started_at.reset();
      row.ended_at.reset();
      row.first_started_at.reset();
      row.returned = false;
      row.mapped_length.reset();
      row.skips.clear();
      set_state(run, task, slot, TaskState::kNone, now);
      touch(run, slot);
    }
  }
  if (!any) return;
  ++run.row.clears;
  run.row.queued_at = now;
  run.row.deadlines_told = 0;
  if (run.finished()) {
    std::erase(run.dag->finished, run.row.number);
    run.row.state = RunState::kQueued;
    run.row.started_at.reset();
    run.row.ended_at.reset();
    if (run.row.type != RunType::kBackfill) ++run.dag->active;
    run.dag->queued.insert({run.row.backfill_ordinal, run.row.run_after, run.row.number});
  }
  touch(run);
  mark_dirty(run);
  set_timers(run, now);
  dags_to_check_.insert(run.dag->number);
}

Status Scheduler::State::set_task(const SetTask& event, Micros now) {
  LiveRun* run = find(event.task.run);
  if (run == nullptr) return no_run(event.task.run);
  int task = run->plan == nullptr ? -1 : run->plan->find(event.task.task);
  if (task < 0) {
    return error(Code::kNotFound,
                 fmt::format("run {} has no task {}", event.task.run.run, event.task.task));
  }
  if (!is_finished(event.state) || event.state == TaskState::kRemoved) {
    return error(Code::kInvalidArgument,
                 fmt::format("a task may be set to success, failed or skipped, not to {}",
                             name(event.state)));
  }
  auto set = [&](Slot& slot, int index) {
    if (slot.row.state == event.state) return;
    if (is_active(slot.row.state)) {
      stop(slot, fmt::format("it was set to {}", name(event.state)));
      slot.row.ended_at = now;
    }
    set_state(*run, index, slot, event.state, now);
  };
  const PlanTask& plan = (*run->plan)[task];
  for (int other = 0; other < run->plan->size(); ++other) {
    auto place = static_cast<std::size_t>(other);
    bool related =
        (event.upstream && plan.all_upstream[place]) ||
        (event.downstream && plan.all_downstream[place] && !(*run->plan)[other].task->is_teardown);
    if (!related && other != task) continue;
    for (Slot& slot : run->tasks[place].slots) {
      bool wanted = other != task || event.task.map_index < 0 ||
                    slot.row.id.map_index == event.task.map_index;
      if (wanted) set(slot, other);
    }
  }
  // What failed for it may go on.
  const Clear failed{.run = event.task.run, .tasks = {}, .only_failed = true};
  clear_tasks(*run, run->plan->subset({task}, false, true), failed, task, now);
  return {};
}

Status Scheduler::State::set_run(const SetRun& event, Micros now) {
  LiveRun* run = find(event.run);
  if (run == nullptr) return no_run(event.run);
  if (run->plan == nullptr) {
    return error(Code::kFailedPrecondition,
                 fmt::format("the file of DAG {} is gone", event.run.dag));
  }
  switch (event.state) {
    case RunState::kRunning:
      return error(Code::kInvalidArgument, "a run may be set to success, failed or queued");
    case RunState::kQueued: {
      if (run->row.state == RunState::kQueued) return {};
      if (run->finished()) {
        std::erase(run->dag->finished, run->row.number);
        if (run->row.type != RunType::kBackfill) ++run->dag->active;
      } else {
        --run->dag->running[run->row.backfill];
      }
      run->row.state = RunState::kQueued;
      run->row.queued_at = now;
      run->row.started_at.reset();
      run->row.ended_at.reset();
      run->dag->queued.insert({run->row.backfill_ordinal, run->row.run_after, run->row.number});
      dags_to_check_.insert(run->dag->number);
      touch(*run);
      return {};
    }
    default:
      end_run(*run, event.state, now);
      return {};
  }
}

/// Airflow's _set_dag_run_terminal_state: what runs gets the run's state, what has not run is
/// skipped, teardowns go on, and the run with them.
void Scheduler::State::end_run(LiveRun& run, RunState state, Micros now) {
  bool teardown_is_open = false;
  TaskState end = state == RunState::kSuccess ? TaskState::kSuccess : TaskState::kFailed;
  for (int task = 0; task < run.plan->size(); ++task) {
    bool teardown = (*run.plan)[task].task->is_teardown;
    for (Slot& slot : run.tasks[static_cast<std::size_t>(task)].slots) {
      TaskState is = slot.row.state;
      if (is_finished(is)) continue;
      teardown_is_open |= teardown;
      if (teardown) continue;
      bool runs = is == TaskState::kRunning || is == TaskState::kDeferred ||
                  is == TaskState::kUpForReschedule;
      if (is_active(is)) stop(slot, fmt::format("its run was set to {}", name(state)));
      if (runs) slot.row.ended_at = now;
      set_state(run, task, slot, runs ? end : TaskState::kSkipped, now);
    }
  }
  if (teardown_is_open || run.row.state == state) return;
  if (run.finished()) {
    run.row.state = state;
    touch(run);
  } else {
    finish_run(run, state, fmt::format("it was set to {}", name(state)), now);
  }
}

Status Scheduler::State::delete_run(const DeleteRun& event, Micros now) {
  LiveRun* run = find(event.run);
  if (run == nullptr) return no_run(event.run);
  DagState& dag = *run->dag;
  for (std::size_t task = 0; task < run->tasks.size(); ++task) {
    for (Slot& slot : run->tasks[task].slots) {
      if (is_active(slot.row.state)) stop(slot, "its run was deleted");
      occupy(*run, static_cast<int>(task), slot.row.state, -1);
    }
  }
  std::int64_t backfill = run->row.backfill;
  if (!run->finished()) leave_active(*run);
  std::erase(dag.finished, run->row.number);
  runs_with_ready_.erase(run->row.number);
  std::erase(touched_runs_, run);
  std::erase_if(touched_slots_, [&](const TouchedSlot& touched) { return touched.run == run; });
  effects_.changes.emplace_back(Gone{event.run});
  forget(*run);
  if (backfill != 0) complete_backfill(backfill, now);
  dags_to_check_.insert(dag.number);
  return {};
}

Status Scheduler::State::forget_dag(const ForgetDag& event, Micros now) {
  DagState* dag = find_dag(event.dag);
  if (dag == nullptr || dag->forgotten)
    return error(Code::kNotFound, fmt::format("there is no DAG {}", event.dag));
  std::vector<RunId> ids;
  for (const auto& [id, run] : dag->runs) {
    for (const TaskSlots& task : run->tasks) {
      if (task.count(TaskState::kRunning) > 0)
        return error(Code::kFailedPrecondition,
                     fmt::format("tasks of DAG {} are running", event.dag));
    }
    ids.push_back(run->row.id);
  }
  for (const RunId& id : ids) TRY(delete_run({.run = id}, now));
  for (std::int64_t id : dag->row.pending_asset_events) release_event(id);
  std::erase_if(backfills_, [&](const auto& entry) { return entry.second.dag == event.dag; });
  for (auto& [name, dags] : listeners_) std::erase(dags, dag);
  std::erase(touched_dags_, dag);
  dag->touched = false;
  dag->plan = nullptr;
  dag->row = DagRow{.id = event.dag};
  dag->forgotten = true;
  effects_.changes.emplace_back(Gone{GoneDag{event.dag}});
  return {};
}

Status Scheduler::State::drop_pending(const DropPending& event) {
  DagState* dag = find_dag(event.dag);
  if (dag == nullptr) return error(Code::kNotFound, fmt::format("there is no DAG {}", event.dag));
  const auto gone = std::erase_if(dag->row.pending_asset_events, [&](std::int64_t id) {
    const AssetEvent& held = events_.at(id).event;
    const bool meant = (event.assets.empty() || event.assets.contains(held.asset_uri)) &&
                       (!event.before || held.at < *event.before);
    if (meant) release_event(id);
    return meant;
  });
  if (gone == 0)
    return error(Code::kNotFound, fmt::format("no such event waits for DAG {}", event.dag));
  touch(*dag);
  return {};
}

Status Scheduler::State::set_note(const SetNote& event) {
  LiveRun* run = find(event.run);
  if (run == nullptr) return no_run(event.run);
  if (!event.task) {
    run->row.note = event.note;
    touch(*run);
    return {};
  }
  const LiveTask task = find(*event.task);
  if (task.slot == nullptr) {
    return error(Code::kNotFound,
                 fmt::format("run {} has no task {}", event.run.run, event.task->task));
  }
  task.slot->row.note = event.note;
  touch(*run, *task.slot);
  return {};
}

Status Scheduler::State::pause(const Pause& event, Micros) {
  DagState* dag = find_dag(event.dag);
  if (dag == nullptr) return error(Code::kNotFound, fmt::format("there is no DAG {}", event.dag));
  if (dag->row.paused == event.paused) return {};
  dag->row.paused = event.paused;
  touch(*dag);
  dags_to_check_.insert(dag->number);
  for (auto& [number, run] : dag->by_number) {
    if (run->row.state == RunState::kRunning) mark_dirty(*run);
  }
  return {};
}

// --- pools ---------------------------------------------------------------------------------------

Status Scheduler::State::set_pool(const SetPool& event) {
  if (event.pool.name.empty() || event.pool.slots < -1) {
    return error(
        Code::kInvalidArgument,
        fmt::format("pool '{}' needs a name and slots from -1 (no limit)", event.pool.name));
  }
  bool is_new = !pools_.contains(event.pool.name);
  PoolState& pool = pools_[event.pool.name];
  pool.row = event.pool;
  if (is_new) {
    for (auto& [number, run] : numbered_runs_) {
      for (std::size_t task = 0; task < run->tasks.size(); ++task) {
        const dags::Task& what = *(*run->plan)[static_cast<int>(task)].task;
        if (what.pool != event.pool.name) continue;
        const TaskSlots& slots = run->tasks[task];
        pool.used +=
            what.pool_slots * (slots.count(TaskState::kQueued) + slots.count(TaskState::kRunning));
        pool.deferred += what.pool_slots * slots.count(TaskState::kDeferred);
      }
    }
  }
  effects_.changes.emplace_back(event.pool);
  return {};
}

Status Scheduler::State::drop_pool(const DropPool& event) {
  if (event.name == "default_pool") {
    return error(Code::kFailedPrecondition, "default_pool stays");
  }
  if (pools_.erase(event.name) == 0) {
    return error(Code::kNotFound, fmt::format("there is no pool {}", event.name));
  }
  effects_.changes.emplace_back(Gone{event.name});
  return {};
}

// --- backfills -----------------------------------------------------------------------------------

Status Scheduler::State::make_backfill(const MakeBackfill& event, Micros now) {
  Backfill backfill = event.wanted;
  DagState* dag = find_dag(backfill.dag);
  if (dag == nullptr || dag->plan == nullptr) {
    return error(Code::kNotFound, fmt::format("there is no DAG {}", backfill.dag));
  }
  const dags::Dag& what = dag->plan->dag();
  auto refuse = [](Code code, std::string text) { return error(code, std::move(text)); };
  if (!has_interval(what.timetable)) {
    return refuse(Code::kFailedPrecondition,
                  fmt::format("DAG {} has no schedule that a backfill could follow", what.id));
  }
  for (const auto& [id, other] : backfills_) {
    if (other.dag != backfill.dag) continue;
    return refuse(Code::kAlreadyExists,
                  fmt::format("backfill {} of DAG {} is under way", id, what.id));
  }
  if (backfill.from > backfill.to) {
    return refuse(Code::kInvalidArgument, fmt::format("the backfill begins at {}, after its end {}",
                                                      iso(backfill.from), iso(backfill.to)));
  }
  if (backfill.from >= now) {
    return refuse(Code::kInvalidArgument, "a backfill is of the past");
  }
  bool past = std::ranges::any_of(what.tasks, &dags::Task::depends_on_past);
  if (past && backfill.reverse) {
    return refuse(Code::kInvalidArgument,
                  "its tasks depend on the past: a backfill cannot go backwards");
  }
  if (past && backfill.reprocess == Backfill::Reprocess::kNone) {
    return refuse(Code::kInvalidArgument,
                  "its tasks depend on the past: reprocess failed or completed runs");
  }
  std::vector<calendar::RunInfo> infos;
  calendar::Restriction range{.earliest = backfill.from, .latest = backfill.to, .catchup = true};
  for (auto info = what.timetable.next(std::nullopt, range, now); info;
       info = what.timetable.next(info, range, now)) {
    if (info->interval && info->interval->end < now) infos.push_back(*info);
    if (info->interval && info->interval->end >= now) break;
  }
  if (infos.empty()) {
    return refuse(Code::kFailedPrecondition,
                  fmt::format("the schedule of DAG {} has no run from {} to {}", what.id,
                              iso(backfill.from), iso(backfill.to)));
  }
  if (backfill.reverse) std::ranges::reverse(infos);
  backfill.id = ++numbers_.backfills;
  touched_numbers_ = true;
  backfill.created_at = now;
  backfill.completed_at.reset();
  backfills_[backfill.id] = backfill;
  effects_.changes.emplace_back(backfill);
  int ordinal = 0;
  for (const calendar::RunInfo& info : infos) {
    add_to_backfill(*dag, backfill, info, ++ordinal, now);
  }
  complete_backfill(backfill.id, now);
  return {};
}

void Scheduler::State::add_to_backfill(DagState& dag, const Backfill& backfill,
                                       const calendar::RunInfo& info, int ordinal, Micros now) {
  auto there = info.logical_date ? dag.by_date.find(*info.logical_date) : dag.by_date.end();
  if (there != dag.by_date.end()) {
    LiveRun& run = *there->second;
    bool again =
        backfill.reprocess == Backfill::Reprocess::kCompleted ||
        (backfill.reprocess == Backfill::Reprocess::kFailed && run.row.state == RunState::kFailed);
    if (!run.finished() || !again || run.plan == nullptr) return;
    run.row.type = RunType::kBackfill;
    run.row.backfill = backfill.id;
    run.row.backfill_ordinal = ordinal;
    run.row.triggered_by = "backfill";
    if (!backfill.conf.is_none()) run.row.conf = backfill.conf;
    const Clear all{.run = run.row.id, .tasks = {}};
    clear_tasks(run, std::vector<bool>(run.tasks.size(), true), all, -1, now);
    return;
  }
  Run run;
  run.id = {.dag = dag.row.id, .run = "backfill__" + iso(info.run_after)};
  if (dag.runs.contains(run.id.run)) return;
  run.type = RunType::kBackfill;
  run.logical_date = info.logical_date;
  run.interval = info.interval;
  run.run_after = info.run_after;
  run.conf = backfill.conf;
  run.triggered_by = "backfill";
  run.backfill = backfill.id;
  run.backfill_ordinal = ordinal;
  make_run(dag, std::move(run), now);
}

Status Scheduler::State::set_backfill(const SetBackfill& event, Micros now) {
  auto found = backfills_.find(event.id);
  if (found == backfills_.end()) {
    return error(Code::kNotFound,
                 fmt::format("there is no backfill {}, or it is complete", event.id));
  }
  Backfill& backfill = found->second;
  DagState& dag = *find_dag(backfill.dag);
  backfill.paused = event.paused || event.cancelled;
  dags_to_check_.insert(dag.number);
  if (!event.cancelled) {
    effects_.changes.emplace_back(backfill);
    return {};
  }
  // What runs goes on to its end, what is queued fails, as in Airflow.
  std::vector<LiveRun*> queued;
  for (auto& [number, run] : dag.by_number) {
    if (run->row.backfill == event.id && run->row.state == RunState::kQueued) {
      queued.push_back(run);
    }
  }
  backfill.completed_at = now;
  effects_.changes.emplace_back(backfill);
  backfills_.erase(found);
  for (LiveRun* run : queued)
    finish_run(*run, RunState::kFailed, "its backfill was cancelled", now);
  return {};
}

}  // namespace tailrace::sched
