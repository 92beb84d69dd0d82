// Slots: which scheduled tasks are queued now (Airflow's _executable_task_instances_to_queued), and
// the one place where a task instance changes its state, which keeps all counts.
#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "base/check.h"
#include "sched/state.h"

namespace tailrace::sched {
namespace {

bool is_active(TaskState state) {
  return state == TaskState::kQueued || state == TaskState::kRunning;
}

/// A run's next candidate; the smallest is queued first: by weight, then date, then map index.
struct Candidate {
  std::int64_t minus_weight;
  Micros date;
  int map_index;
  std::int64_t number;
  int task;
  LiveRun* run = nullptr;

  auto key() const { return std::tie(minus_weight, date, map_index, number, task); }
  bool operator>(const Candidate& other) const { return key() > other.key(); }
};

Candidate candidate(LiveRun& run, const ReadyKey& key) {
  return {.minus_weight = key.minus_weight,
          .date = run.row.logical_date.value_or(run.row.run_after),
          .map_index = key.map_index,
          .number = run.row.number,
          .task = key.task,
          .run = &run};
}

}  // namespace

bool PoolState::has_room(int slots) const {
  if (row.slots < 0) return true;
  std::int64_t open = row.slots - used - (row.include_deferred ? deferred : 0);
  return open > 0 && open >= slots;
}

void Scheduler::State::occupy(LiveRun& run, int task, TaskState state, int sign) {
  const dags::Task& what = *(*run.plan)[task].task;
  // Airflow's ConcurrencyMap counts the deferred for a task's own limits, not for max_active_tasks.
  if (what.max_active_tis_per_dag && (is_active(state) || state == TaskState::kDeferred)) {
    run.dag->active_tasks[what.id] += sign;
  }
  if (state == TaskState::kDeferred) {
    if (auto pool = pools_.find(what.pool); pool != pools_.end()) {
      pool->second.deferred += sign * what.pool_slots;
    }
  }
  if (!is_active(state)) return;
  active_ += sign;
  run.active += sign;
  if (auto pool = pools_.find(what.pool); pool != pools_.end()) {
    pool->second.used += sign * what.pool_slots;
  }
}

void Scheduler::State::set_state(LiveRun& run, int task, Slot& slot, TaskState to, Micros now) {
  TaskInstance& row = slot.row;
  TaskState from = row.state;
  if (from == to) return;
  TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
  --slots.counts[static_cast<std::size_t>(from)];
  ++slots.counts[static_cast<std::size_t>(to)];
  ReadyKey key{-(*run.plan)[task].weight, row.id.map_index, task};
  if (from == TaskState::kScheduled) {
    run.ready.erase(key);
    if (run.ready.empty()) runs_with_ready_.erase(run.row.number);
  }
  occupy(run, task, from, -1);
  occupy(run, task, to, 1);
  run.unfinished += (is_finished(from) ? 1 : 0) - (is_finished(to) ? 1 : 0);
  row.state = to;
  if (to == TaskState::kScheduled) {
    run.ready.insert(key);
    runs_with_ready_.insert(run.row.number);
  }
  if (is_finished(to)) {
    row.next_at.reset();
    if (!row.started_at) row.started_at = now;
    if (!row.ended_at) row.ended_at = now;
  }
  touch(run, slot);
  mark_dirty(run);
  bool past_matters = run.plan->depends_on_past() && run.row.logical_date;
  if (!past_matters || (!is_finished(to) && !is_finished(from))) return;
  for (auto later = run.dag->by_date.upper_bound(*run.row.logical_date);
       later != run.dag->by_date.end(); ++later) {
    if (later->second->row.state == RunState::kRunning) mark_dirty(*later->second);
  }
}

void Scheduler::State::queue_tasks(Micros now) {
  if (active_ >= settings_.parallelism || runs_with_ready_.empty()) return;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heads;
  for (std::int64_t number : runs_with_ready_) {
    LiveRun& run = *by_number(number);
    if (run.row.state != RunState::kRunning || !run.dag->can_run()) continue;
    if (run.active >= run.dag->plan->dag().max_active_tasks) continue;
    heads.push(candidate(run, *run.ready.begin()));
  }
  while (!heads.empty() && active_ < settings_.parallelism) {
    Candidate head = heads.top();
    heads.pop();
    LiveRun& run = *head.run;
    ReadyKey key{head.minus_weight, head.map_index, head.task};
    auto next = run.ready.upper_bound(key);
    std::optional<ReadyKey> after;
    if (next != run.ready.end()) after = *next;
    queue_task(run, head.task, head.map_index, now);
    if (after && run.active < run.dag->plan->dag().max_active_tasks) {
      heads.push(candidate(run, *after));
    }
  }
}

bool Scheduler::State::queue_task(LiveRun& run, int task, int map_index, Micros now) {
  const dags::Task& what = *(*run.plan)[task].task;
  auto pool = pools_.find(what.pool);
  if (pool == pools_.end() || !pool->second.has_room(what.pool_slots)) return false;
  TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
  if (what.max_active_tis_per_dag &&
      run.dag->active_tasks[what.id] >= *what.max_active_tis_per_dag) {
    return false;
  }
  if (what.max_active_tis_per_dagrun && slots.count(TaskState::kQueued) +
                                                slots.count(TaskState::kRunning) +
                                                slots.count(TaskState::kDeferred) >=
                                            *what.max_active_tis_per_dagrun) {
    return false;
  }
  Slot& slot = *slots.find(map_index);
  slot.row.queued_at = now;
  set_state(run, task, slot, TaskState::kQueued, now);
  effects_.starts.push_back({slot.row.id, slot.row.try_number});
  return true;
}

void Scheduler::State::explain_slots(LiveRun& run, int task, std::vector<std::string>& why) {
  const dags::Task& what = *(*run.plan)[task].task;
  auto pool = pools_.find(what.pool);
  if (pool == pools_.end()) {
    why.push_back(fmt::format("There is no pool {}.", what.pool));
  } else if (!pool->second.has_room(what.pool_slots)) {
    why.push_back(fmt::format("Pool {} has no room: it needs {} of {} slots, {} are taken.",
                              what.pool, what.pool_slots, pool->second.row.slots,
                              pool->second.used));
  }
  if (active_ >= settings_.parallelism) {
    why.push_back(fmt::format("{} tasks run, as many as may (parallelism).", active_));
  }
  if (run.dag->plan != nullptr && run.active >= run.dag->plan->dag().max_active_tasks) {
    why.push_back(
        fmt::format("{} tasks of its run run, as many as may (max_active_tasks).", run.active));
  }
  const TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
  int in_run = slots.count(TaskState::kQueued) + slots.count(TaskState::kRunning);
  if (what.max_active_tis_per_dagrun && in_run >= *what.max_active_tis_per_dagrun) {
    why.push_back("max_active_tis_per_dagrun of its instances run.");
  }
  if (what.max_active_tis_per_dag &&
      run.dag->active_tasks[what.id] >= *what.max_active_tis_per_dag) {
    why.push_back("max_active_tis_per_dag of its instances run.");
  }
}

}  // namespace tailrace::sched
