// Ends: of tries, of task instances, of runs, of backfills; and what is forgotten then.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "sched/backoff.h"
#include "sched/state.h"

namespace tailrace::sched {
namespace {

bool is_active(TaskState state) {
  return state == TaskState::kQueued || state == TaskState::kRunning;
}

std::unexpected<Error> no_such(const TaskId& id) {
  return error(Code::kNotFound, fmt::format("there is no task instance {}.{} [{}] in run {}",
                                            id.run.dag, id.task, id.map_index, id.run.run));
}

}  // namespace

LiveTask Scheduler::State::find(const TaskId& id) const {
  LiveRun* run = find(id.run);
  int task = run == nullptr || run->plan == nullptr ? -1 : run->plan->find(id.task);
  if (task < 0) return {};
  return {run, task, run->tasks[static_cast<std::size_t>(task)].find(id.map_index)};
}

// --- tries ---------------------------------------------------------------------------------------

Status Scheduler::State::started(const Started& event, Micros now) {
  auto [run, task, slot] = find(event.task);
  if (slot == nullptr) return no_such(event.task);
  TaskInstance& row = slot->row;
  if (row.state != TaskState::kQueued || row.try_number != event.try_number) {
    return error(Code::kFailedPrecondition,
                 fmt::format("try {} of {} may not start: it is {} in try {}", event.try_number,
                             event.task.task, name(row.state), row.try_number));
  }
  row.started_at = now;
  row.ended_at.reset();
  set_state(*run, task, *slot, TaskState::kRunning, now);
  return {};
}

Status Scheduler::State::finished(const Finished& event, Micros now) {
  auto [run, task, slot] = find(event.task);
  if (slot == nullptr) return no_such(event.task);
  TaskInstance& row = slot->row;
  if (!is_active(row.state) || row.try_number != event.try_number) return {};  // of before
  using How = Finished::How;
  How how = event.how;
  std::string why;
  if (how == How::kSuccess && event.mapped_length > settings_.max_map_length) {
    how = How::kFailed;
    why = fmt::format("it returned {} values to expand over; {} are the most (max_map_length)",
                      *event.mapped_length, settings_.max_map_length);
  }
  switch (how) {
    case How::kSuccess:
      succeed(*run, task, *slot, event, now);
      break;
    case How::kFailed:
    case How::kFailedForGood:
      fail(*run, task, *slot, how == How::kFailedForGood, why, now);
      break;
    case How::kSkipped:
      row.ended_at = now;
      set_state(*run, task, *slot, TaskState::kSkipped, now);
      tell(Notice::Kind::kTaskSkipped, *run, slot, "it skipped itself");
      break;
    case How::kReschedule:
    case How::kDefer:
      row.ended_at = now;
      row.next_at = event.at;
      if (!row.first_started_at) row.first_started_at = event.began;
      if (how == How::kReschedule && !row.next_at) row.next_at = now;
      set_state(*run, task, *slot,
                how == How::kDefer ? TaskState::kDeferred : TaskState::kUpForReschedule, now);
      if (row.next_at) {
        timers_.insert({*row.next_at, Timer::Kind::kTask, run->row.number, task, row.id.map_index});
      }
      break;
  }
  return {};
}

Status Scheduler::State::lost(const Lost& event, Micros now) {
  auto [run, task, slot] = find(event.task);
  if (slot == nullptr) return no_such(event.task);
  if (!is_active(slot->row.state) || slot->row.try_number != event.try_number) return {};
  fail(*run, task, *slot, false, "its process is gone", now);
  return {};
}

Status Scheduler::State::interrupted(const Interrupted& event, Micros now) {
  auto [run, task, slot] = find(event.task);
  if (slot == nullptr) return no_such(event.task);
  TaskInstance& row = slot->row;
  if (row.state != TaskState::kRunning || row.try_number != event.try_number) return {};
  ++row.max_tries;
  row.ended_at = now;
  row.next_at = now;
  row.note = "it was stopped with the program";
  set_state(*run, task, *slot, TaskState::kUpForRetry, now);
  timers_.insert({now, Timer::Kind::kTask, run->row.number, task, row.id.map_index});
  return {};
}

Status Scheduler::State::resume(const Resume& event, Micros now) {
  auto [run, task, slot] = find(event.task);
  if (slot == nullptr) return no_such(event.task);
  if (slot->row.state != TaskState::kDeferred || slot->row.try_number != event.try_number) {
    return {};
  }
  slot->row.next_at.reset();
  set_state(*run, task, *slot, TaskState::kScheduled, now);
  return {};
}

// --- task instances ------------------------------------------------------------------------------

void Scheduler::State::succeed(LiveRun& run, int task, Slot& slot, const Finished& event,
                               Micros now) {
  const PlanTask& plan = (*run.plan)[task];
  TaskInstance& row = slot.row;
  row.ended_at = now;
  row.returned = event.returned;
  row.mapped_length = event.mapped_length;
  row.skips.clear();
  std::vector<int> skips;
  if (event.skip) {
    for (const std::string& id : *event.skip) {
      if (int other = run.plan->find(id); other >= 0) skips.push_back(other);
    }
  }
  if (event.skip_all_downstream) {
    for (int other = 0; other < run.plan->size(); ++other) {
      bool follows = event.ignore_downstream_trigger_rules
                         ? plan.all_downstream[static_cast<std::size_t>(other)]
                         : std::ranges::find(plan.downstream, other) != plan.downstream.end();
      if (follows && !(*run.plan)[other].task->is_teardown) skips.push_back(other);
    }
  }
  for (int other : skips) {
    if (std::ranges::find(plan.downstream, other) == plan.downstream.end()) continue;
    row.skips.push_back((*run.plan)[other].task->id);
  }
  int map_index = row.id.map_index;
  TaskId source = row.id;
  set_state(run, task, slot, TaskState::kSuccess, now);
  tell(Notice::Kind::kTaskSucceeded, run, &slot, "");
  for (int other : skips) {
    if (map_index < 0) skip(run, other, -1, now);
    // Of a task with many instances, and of a mapped branch, only what is directly downstream is
    // skipped, when its turn comes; what waits for a slot has had it, and is skipped here.
    if (std::ranges::find(plan.downstream, other) == plan.downstream.end()) continue;
    for (Slot& each : run.tasks[static_cast<std::size_t>(other)].slots) {
      bool meant = plan.task->expansion ? each.row.id.map_index == map_index : map_index < 0;
      if (meant && each.row.state == TaskState::kScheduled) {
        skip(run, other, each.row.id.map_index, now);
      }
    }
  }
  for (const dags::Asset& asset : plan.task->outlets) {
    jinja::Value extra;
    for (const auto& [uri, value] : event.asset_extra) {
      if (uri == asset.uri || uri == asset.name) extra = value;
    }
    asset_happened(
        {.asset_uri = asset.uri.empty() ? asset.name : asset.uri, .extra = extra, .source = source},
        now);
  }
  for (std::size_t i = 0; i < event.aliased.size(); ++i) {
    const AliasedEvent& first = event.aliased[i];
    std::vector<std::string> aliases;
    bool is_first = true;
    for (std::size_t j = 0; j < event.aliased.size(); ++j) {
      if (event.aliased[j].uri != first.uri) continue;
      is_first &= j >= i;
      aliases.push_back(event.aliased[j].alias);
    }
    if (is_first) {
      asset_happened(
          {.asset_uri = first.uri, .extra = first.extra, .source = source, .aliases = aliases},
          now);
    }
  }
}

/// A branch's skip: of what is not running and has not run.
void Scheduler::State::skip(LiveRun& run, int task, int map_index, Micros now) {
  Slot* slot = run.tasks[static_cast<std::size_t>(task)].find(map_index);
  if (slot == nullptr) return;
  TaskState state = slot->row.state;
  if (state == TaskState::kRunning || state == TaskState::kSuccess || state == TaskState::kFailed ||
      state == TaskState::kSkipped) {
    return;
  }
  if (state == TaskState::kQueued) stop(*slot, "a branch skips it");
  slot->row.started_at = now;
  slot->row.ended_at = now;
  set_state(run, task, *slot, TaskState::kSkipped, now);
  tell(Notice::Kind::kTaskSkipped, run, slot, "a task upstream has chosen to skip it");
}

void Scheduler::State::fail(LiveRun& run, int task, Slot& slot, bool for_good,
                            const std::string& why, Micros now) {
  const dags::Task& what = *(*run.plan)[task].task;
  TaskInstance& row = slot.row;
  row.ended_at = now;
  if (!why.empty()) row.note = why;  // else what people wrote stays
  if (!for_good && has_another_try(row)) {
    row.next_at = now + retry_delay(what, run.row.id.dag, run.row.logical_date, row.try_number);
    set_state(run, task, slot, TaskState::kUpForRetry, now);
    timers_.insert({*row.next_at, Timer::Kind::kTask, run.row.number, task, row.id.map_index});
    tell(Notice::Kind::kTaskRetry, run, &slot, why);
    return;
  }
  set_state(run, task, slot, TaskState::kFailed, now);
  tell(Notice::Kind::kTaskFailed, run, &slot, why);
  if (run.plan->dag().fail_fast) stop_others(run, task, now);
}

/// fail_fast: what runs fails, what has not run is skipped; teardowns go on.
void Scheduler::State::stop_others(LiveRun& run, int failed, Micros now) {
  for (int task = 0; task < run.plan->size(); ++task) {
    if (task == failed || (*run.plan)[task].task->is_teardown) continue;
    for (Slot& slot : run.tasks[static_cast<std::size_t>(task)].slots) {
      TaskState state = slot.row.state;
      if (state == TaskState::kSuccess || state == TaskState::kFailed ||
          state == TaskState::kRemoved) {
        continue;
      }
      if (is_active(state)) stop(slot, "another task failed, and the DAG has fail_fast");
      bool ran = state == TaskState::kRunning;
      if (ran) slot.row.ended_at = now;
      set_state(run, task, slot, ran ? TaskState::kFailed : TaskState::kSkipped, now);
      tell(ran ? Notice::Kind::kTaskFailed : Notice::Kind::kTaskSkipped, run, &slot, "fail_fast");
    }
  }
}

void Scheduler::State::stop(Slot& slot, std::string why) {
  effects_.stops.push_back({slot.row.id, slot.row.try_number, std::move(why)});
  // What was to start in this turn does not.
  std::erase_if(effects_.starts, [&](const Start& start) { return start.task == slot.row.id; });
}

void Scheduler::State::tell(Notice::Kind kind, const LiveRun& run, const Slot* slot,
                            std::string why, std::string reason) {
  Notice notice{.kind = kind,
                .run = run.row.id,
                .task = std::nullopt,
                .why = std::move(why),
                .reason = std::move(reason)};
  if (slot != nullptr) notice.task = slot->row.id;
  effects_.notices.push_back(std::move(notice));
}

// --- runs ----------------------------------------------------------------------------------------

/// Ends the run if its tasks say so (DagRun.update_state).
void Scheduler::State::conclude(LiveRun& run, Micros now) {
  if (run.unfinished > 0) {
    if (deadlocked(run, now)) {
      finish_run(run, RunState::kFailed, "no task can run any more: deadlock", now,
                 "all_tasks_deadlocked");
    }
    return;
  }
  for (int task = 0; task < run.plan->size(); ++task) {
    if (!(*run.plan)[task].decides_run) continue;
    const TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
    if (slots.count(TaskState::kFailed) + slots.count(TaskState::kUpstreamFailed) > 0) {
      finish_run(run, RunState::kFailed, "a task failed", now, "task_failure");
      return;
    }
  }
  finish_run(run, RunState::kSuccess, "", now, "success");
}

void Scheduler::State::leave_active(LiveRun& run) {
  DagState& dag = *run.dag;
  if (run.row.state == RunState::kRunning) --dag.running[run.row.backfill];
  if (run.row.state == RunState::kQueued) {
    dag.queued.erase({run.row.backfill_ordinal, run.row.run_after, run.row.number});
  }
  if (run.row.type != RunType::kBackfill) --dag.active;
}

void Scheduler::State::finish_run(LiveRun& run, RunState state, std::string why, Micros now,
                                  std::string reason) {
  DagState& dag = *run.dag;
  leave_active(run);
  run.row.state = state;
  run.row.ended_at = now;
  touch(run);
  tell(Notice::Kind::kRunFinished, run, nullptr, std::move(why), std::move(reason));
  dag.finished.push_back(run.row.number);
  if (state == RunState::kFailed) pause_after_failures(dag);
  if (run.row.backfill != 0) complete_backfill(run.row.backfill, now);
  dags_to_check_.insert(dag.number);
  forget_finished(dag);
}

void Scheduler::State::time_out(LiveRun& run, Micros now) {
  for (std::size_t task = 0; task < run.tasks.size(); ++task) {
    for (Slot& slot : run.tasks[task].slots) {
      if (is_finished(slot.row.state)) continue;
      if (is_active(slot.row.state)) stop(slot, "its run took longer than dagrun_timeout");
      set_state(run, static_cast<int>(task), slot, TaskState::kSkipped, now);
    }
  }
  finish_run(run, RunState::kFailed, "timed out: dagrun_timeout", now, "timed_out");
}

/// max_consecutive_failed_dag_runs: so many of the last runs failed.
void Scheduler::State::pause_after_failures(DagState& dag) {
  int limit = dag.plan == nullptr ? 0 : dag.plan->dag().max_consecutive_failed_runs;
  if (limit <= 0 || static_cast<int>(dag.by_number.size()) < limit) return;
  std::vector<const LiveRun*> last;
  for (const auto& [number, run] : dag.by_number) last.push_back(run);
  std::ranges::sort(last, std::greater{}, [](const LiveRun* run) {
    return std::pair(run->row.run_after, run->row.number);
  });
  last.resize(static_cast<std::size_t>(limit));
  bool all = std::ranges::all_of(
      last, [](const LiveRun* run) { return run->row.state == RunState::kFailed; });
  if (!all) return;
  dag.row.paused = true;
  touch(dag);
}

void Scheduler::State::complete_backfill(std::int64_t id, Micros now) {
  auto found = backfills_.find(id);
  if (found == backfills_.end()) return;
  const DagState& dag = *find_dag(found->second.dag);
  bool under_way = std::ranges::any_of(dag.by_number, [&](const auto& entry) {
    return entry.second->row.backfill == id && !entry.second->finished();
  });
  if (under_way) return;
  found->second.completed_at = now;
  effects_.changes.emplace_back(found->second);
  backfills_.erase(found);
}

// --- what is forgotten ---------------------------------------------------------------------------

/// Whether something may still look at a finished run.
bool Scheduler::State::is_needed(const DagState& dag, const LiveRun& run) const {
  if (run.row.state == RunState::kFailed && run.plan != nullptr) {
    const auto& deadlines = run.plan->dag().deadlines;
    for (std::size_t i = 0; i < deadlines.size() && i < 64; ++i) {
      if (((run.row.deadlines_told >> i) & 1) == 0) {
        Timer any{.at = 0, .kind = Timer::Kind::kDeadline, .id = run.row.number};
        bool is_set = std::ranges::any_of(timers_, [&](const Timer& timer) {
          return timer.kind == any.kind && timer.id == any.id && timer.task == static_cast<int>(i);
        });
        if (is_set) return true;
      }
    }
  }
  if (dag.plan == nullptr || !dag.plan->depends_on_past() || !run.row.logical_date) return false;
  // The next run by date looks back at it, and so may the one that comes next.
  auto after = dag.by_date.upper_bound(*run.row.logical_date);
  for (; after != dag.by_date.end(); ++after) {
    if (!after->second->finished()) return true;
    if (after->second->row.type != RunType::kManual) return false;
  }
  return true;
}

void Scheduler::State::forget_finished(DagState& dag) {
  std::size_t keep = static_cast<std::size_t>(std::max(settings_.finished_runs_kept, 0));
  if (dag.plan != nullptr) {
    keep = std::max(
        keep, static_cast<std::size_t>(std::max(dag.plan->dag().max_consecutive_failed_runs, 0)));
    for (const dags::Deadline& deadline : dag.plan->dag().deadlines) {
      if (deadline.reference == dags::Deadline::Reference::kAverage)
        keep = std::max(keep, static_cast<std::size_t>(std::max(deadline.max_runs, 0)));
    }
  }
  std::size_t spare = dag.finished.size() > keep ? dag.finished.size() - keep : 0;
  for (std::size_t i = 0; i < dag.finished.size() && spare > 0;) {
    LiveRun& run = *dag.by_number.at(dag.finished[i]);
    if (is_needed(dag, run)) {
      ++i;
      continue;
    }
    dag.finished.erase(dag.finished.begin() + static_cast<std::ptrdiff_t>(i));
    to_forget_.push_back(&run);
    --spare;
  }
}

/// Out of memory; the rows stay where they are kept.
void Scheduler::State::forget(LiveRun& run) {
  DagState& dag = *run.dag;
  if (run.row.logical_date) {
    auto dated = dag.by_date.find(*run.row.logical_date);
    if (dated != dag.by_date.end() && dated->second == &run) dag.by_date.erase(dated);
  }
  dag.by_number.erase(run.row.number);
  numbered_runs_.erase(run.row.number);
  std::erase(dirty_, &run);
  dag.runs.erase(std::string(run.row.id.run));
}

}  // namespace tailrace::sched
