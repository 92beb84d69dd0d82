// How runs come to be: by timetables, by assets, their task instances, and when they start.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "sched/state.h"

namespace tailrace::sched {
namespace {

constexpr std::int64_t kMostAtOnce = 1'000'000'000;

std::string iso(Micros instant) {
  return calendar::isoformat({.instant = instant, .zone = calendar::Zone::utc()});
}

}  // namespace

// --- by timetable --------------------------------------------------------------------------------

/// The next run of the timetable, if it is due; then the DAG is looked at again.
void Scheduler::State::make_due_run(DagState& dag, Micros now) {
  if (!dag.can_run()) return;
  const dags::Dag& what = dag.plan->dag();
  auto after = [&](const std::optional<calendar::RunInfo>& last) {
    return what.timetable.next(last, dag.plan->restriction(), now);
  };
  if (!dag.row.next) {
    dag.row.next = after(dag.row.last_automated);
    if (!dag.row.next) return;
    touch(dag);
  }
  if (dag.row.next->run_after > now) {
    timers_.insert({dag.row.next->run_after, Timer::Kind::kDag, dag.number});
    return;
  }
  if (dag.active >= what.max_active_runs) return;  // looked at again when a run finishes
  if (made_[dag.number] == settings_.max_runs_made_at_once) {
    more_ = true;
    again_.insert(dag.number);
    return;
  }
  // Without catchup the timetable may have moved on since; but what was due is not lost.
  if (auto later = after(dag.row.last_automated);
      later && later->run_after > dag.row.next->run_after && later->run_after <= now) {
    dag.row.next = later;
  }
  calendar::RunInfo info = *dag.row.next;
  bool is_there = info.logical_date && dag.by_date.contains(*info.logical_date);
  Run run;
  run.id = {.dag = what.id, .run = "scheduled__" + iso(info.run_after)};
  if (!is_there && !dag.runs.contains(run.id.run)) {
    run.type = RunType::kScheduled;
    run.logical_date = info.logical_date;
    run.interval = info.interval;
    run.run_after = info.run_after;
    run.triggered_by = "timetable";
    make_run(dag, std::move(run), now);
  }
  ++made_[dag.number];
  dag.row.last_automated = info;
  dag.row.next = after(info);
  touch(dag);
  dags_to_check_.insert(dag.number);
}

LiveRun& Scheduler::State::make_run(DagState& dag, Run row, Micros now) {
  row.number = ++numbers_.runs;
  touched_numbers_ = true;
  row.queued_at = now;
  row.dag_version = dag.row.version;
  LiveRun& run = add_run(std::move(row));
  if (dag.plan != nullptr) attach(run, dag.plan, now);
  touch(run);
  set_timers(run, now);
  dags_to_check_.insert(dag.number);
  return run;
}

// --- by assets -----------------------------------------------------------------------------------

void Scheduler::State::asset_happened(AssetEvent event, Micros now) {
  event.id = ++numbers_.asset_events;
  event.at = now;
  touched_numbers_ = true;
  effects_.changes.emplace_back(event);
  std::set<int> told;
  auto tell_listeners = [&](const std::string& name) {
    auto found = listeners_.find(name);
    if (found == listeners_.end()) return;
    for (DagState* dag : found->second) {
      // Airflow does not queue for a paused DAG; with catchup its events wait.
      if (dag->row.paused && !dag->plan->dag().catchup) continue;
      if (told.insert(dag->number).second) dag->row.pending_asset_events.push_back(event.id);
    }
  };
  tell_listeners(event.asset_uri);
  for (const std::string& alias : event.aliases) tell_listeners("alias:" + alias);
  if (told.empty()) return;
  events_[event.id] = {.event = event, .holders = static_cast<int>(told.size())};
  for (int number : told) {
    touch(*numbered_dags_[static_cast<std::size_t>(number)]);
    dags_to_check_.insert(number);
  }
}

void Scheduler::State::make_asset_runs(DagState& dag, Micros now) {
  if (!dag.can_run() || dag.row.pending_asset_events.empty()) return;
  if (!dag.plan->dag().assets) return;
  const dags::AssetCondition& condition = *dag.plan->dag().assets;
  const bool one_by_one = dag.batch.one_by_one();
  for (;;) {
    std::vector<const AssetEvent*> events;
    for (std::int64_t id : dag.row.pending_asset_events) {
      events.push_back(&events_.at(id).event);
      if (one_by_one && is_true(condition, events)) break;
    }
    if (events.empty() || !is_true(condition, events)) return;
    if (!one_by_one) {
      if (dag.batch.while_running && dag.active > 0) return;
      bool enough = pending(dag) >= dag.batch.events;
      if (!enough && !dag.batch.within) return;
      if (Micros due = events.front()->at + dag.batch.within.value_or(0); !enough && due > now) {
        timers_.insert({due, Timer::Kind::kBatch, dag.number});
        return;
      }
    }
    make_asset_run(dag, events.size(), now);
  }
}

/// How many happenings wait to be consumed.
std::int64_t Scheduler::State::pending(const DagState& dag) const {
  std::int64_t count = 0;
  for (std::int64_t id : dag.row.pending_asset_events) count += events_.at(id).event.count;
  return count;
}

std::int64_t Scheduler::State::room(std::string_view uri) const {
  std::int64_t least = kMostAtOnce;
  auto found = listeners_.find(std::string(uri));
  if (found == listeners_.end()) return least;
  for (const DagState* dag : found->second) {
    if (dag->row.paused && !dag->plan->dag().catchup) continue;
    if (dag->active >= settings_.max_waiting_runs) return 0;
    if (dag->batch.one_by_one()) return 1;
    if (dag->batch.while_running && dag->active > 0) continue;
    // One that is full waits for the rest of its condition, and takes all that comes.
    const std::int64_t missing = dag->batch.events - pending(*dag);
    if (missing > 0) least = std::min(least, missing);
  }
  return least;
}

void Scheduler::State::make_asset_run(DagState& dag, std::size_t events, Micros now) {
  auto& pending = dag.row.pending_asset_events;
  auto end = pending.begin() + static_cast<std::ptrdiff_t>(events);
  Run run;
  run.asset_events.assign(pending.begin(), end);
  run.type = RunType::kAssetTriggered;
  run.run_after = events_.at(run.asset_events.back()).event.at;
  run.triggered_by = "asset";
  run.id = {.dag = dag.row.id,
            .run = fmt::format("asset_triggered__{}_{:08}", iso(run.run_after), numbers_.runs + 1)};
  pending.erase(pending.begin(), end);
  for (std::int64_t id : run.asset_events) release_event(id);
  touch(dag);
  make_run(dag, std::move(run), now);
}

void Scheduler::State::release_event(std::int64_t id) {
  auto found = events_.find(id);
  if (found != events_.end() && --found->second.holders == 0) events_.erase(found);
}

// --- task instances ------------------------------------------------------------------------------

/// Gives a run a version of its DAG: for the first time, or another one.
void Scheduler::State::attach(LiveRun& run, std::shared_ptr<const Plan> plan, Micros now) {
  std::vector<TaskInstance> rows = std::move(run.others);
  run.others.clear();
  for (std::size_t i = 0; i < run.tasks.size(); ++i) {
    for (Slot& slot : run.tasks[i].slots) {
      occupy(run, static_cast<int>(i), slot.row.state, -1);
      rows.push_back(std::move(slot.row));
    }
  }
  run.ready.clear();
  runs_with_ready_.erase(run.row.number);
  run.unfinished = 0;
  run.tasks.assign(static_cast<std::size_t>(plan->size()), {});
  run.plan = std::move(plan);
  std::vector<TaskInstance> gone;
  for (TaskInstance& row : rows) {
    (run.plan->find(row.id.task) < 0 ? gone : run.others).push_back(std::move(row));
  }
  rows = std::exchange(run.others, {});
  for (TaskInstance& row : rows) place(run, std::move(row));
  bool changes = run.row.dag_version != run.plan->dag().version && !run.finished();
  for (TaskInstance& row : gone) {
    if (!is_finished(row.state)) {
      if (row.state == TaskState::kRunning || row.state == TaskState::kQueued) {
        effects_.stops.push_back({row.id, row.try_number, "its task is no longer in the DAG"});
      }
      row.state = TaskState::kRemoved;
      effects_.changes.emplace_back(row);
    }
    run.others.push_back(std::move(row));
  }
  if (!changes) return;
  run.row.dag_version = run.plan->dag().version;
  touch(run);
  if (!run.made) return;
  for (int task = 0; task < run.plan->size(); ++task) {
    if (run.tasks[static_cast<std::size_t>(task)].slots.empty()) make_instances(run, task, now);
  }
}

/// Whether the run's date is within the task's own start and end (verify_integrity's filter).
bool Scheduler::State::in_range(const LiveRun& run, const dags::Task& task) const {
  const auto& date = run.row.logical_date;
  if (run.row.type == RunType::kBackfill || !date) return true;
  return (!task.start_date || *task.start_date <= *date) &&
         (!task.end_date || *date <= *task.end_date);
}

void Scheduler::State::instantiate(LiveRun& run, Micros now) {
  run.made = true;
  for (int task = 0; task < run.plan->size(); ++task) make_instances(run, task, now);
}

void Scheduler::State::make_instances(LiveRun& run, int task, Micros) {
  const PlanTask& plan = (*run.plan)[task];
  if (!in_range(run, *plan.task)) return;
  std::int64_t count = plan.expands() ? mapped_count(run, task).value_or(0) : 0;
  if (count == 0) add_instance(run, task, -1, TaskState::kNone);
  for (int index = 0; index < count; ++index) add_instance(run, task, index, TaskState::kNone);
}

void Scheduler::State::add_instance(LiveRun& run, int task, int map_index, TaskState state) {
  const dags::Task& what = *(*run.plan)[task].task;
  TaskInstance row;
  row.id = {.run = run.row.id, .task = what.id, .map_index = map_index};
  row.state = state;
  row.max_tries = what.retries;
  TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
  slots.slots.push_back({.row = std::move(row)});
  ++slots.counts[static_cast<std::size_t>(state)];
  if (!is_finished(state)) ++run.unfinished;
  touch(run, slots.slots.back());
}

// --- starting ------------------------------------------------------------------------------------

void Scheduler::State::start_runs(DagState& dag, Micros now) {
  if (!dag.can_run()) return;
  for (auto next = dag.queued.begin(); next != dag.queued.end();) {
    LiveRun& run = *dag.by_number.at((next++)->number);
    if (run.row.run_after > now) {
      timers_.insert({run.row.run_after, Timer::Kind::kRun, run.row.number});
      continue;
    }
    int limit = dag.plan->dag().max_active_runs;
    if (run.row.backfill != 0) {
      auto backfill = backfills_.find(run.row.backfill);
      if (backfill != backfills_.end()) {
        if (backfill->second.paused) continue;
        limit = backfill->second.max_active_runs;
      }
    }
    int& running = dag.running[run.row.backfill];
    if (running >= limit) continue;
    ++running;
    dag.queued.erase({run.row.backfill_ordinal, run.row.run_after, run.row.number});
    run.row.state = RunState::kRunning;
    run.row.started_at = now;
    if (!run.made) instantiate(run, now);
    touch(run);
    set_timers(run, now);
    mark_dirty(run);
  }
}

/// Of the runs that had ended when this one was made, those with the latest logical dates; none
/// where there are too few (Airflow's AverageRuntimeDeadline).
std::optional<Micros> Scheduler::State::average_runtime(const LiveRun& run,
                                                        const dags::Deadline& deadline) const {
  std::vector<const Run*> ended;
  for (const auto& [number, other] : run.dag->by_number) {
    const Run& row = other->row;
    if (other != &run && row.started_at && row.ended_at && *row.ended_at <= run.row.queued_at)
      ended.push_back(&row);
  }
  std::ranges::sort(ended, std::greater{},
                    [](const Run* row) { return std::pair(row->logical_date, row->number); });
  if (ended.size() > static_cast<std::size_t>(std::max(deadline.max_runs, 0)))
    ended.resize(static_cast<std::size_t>(std::max(deadline.max_runs, 0)));
  if (ended.empty() || ended.size() < static_cast<std::size_t>(std::max(deadline.min_runs, 0)))
    return std::nullopt;
  Micros sum = 0;
  for (const Run* row : ended) sum += *row->ended_at - *row->started_at;
  return sum / static_cast<Micros>(ended.size());
}

void Scheduler::State::set_timers(LiveRun& run, Micros now) {
  if (run.plan == nullptr) return;
  const dags::Dag& what = run.plan->dag();
  std::int64_t number = run.row.number;
  if (run.row.state == RunState::kRunning && run.row.started_at && what.dagrun_timeout) {
    timers_.insert(
        {*run.row.started_at + *what.dagrun_timeout + 1, Timer::Kind::kRunTimeout, number});
  }
  if (run.row.state == RunState::kRunning && run.row.logical_date > now) {
    timers_.insert({*run.row.logical_date, Timer::Kind::kRun, number});
  }
  for (std::size_t i = 0; i < what.deadlines.size() && i < 64; ++i) {
    const dags::Deadline& deadline = what.deadlines[i];
    std::optional<Micros> from;
    switch (deadline.reference) {
      case dags::Deadline::Reference::kLogicalDate:
        from = run.row.logical_date;
        break;
      case dags::Deadline::Reference::kQueuedAt:
        from = run.row.queued_at;
        break;
      case dags::Deadline::Reference::kFixed:
        from = deadline.fixed;
        break;
      case dags::Deadline::Reference::kAverage:
        if (const auto runtime = average_runtime(run, deadline))
          from = run.row.queued_at + *runtime;
        break;
    }
    if (!from) continue;
    timers_.insert(
        {*from + deadline.interval, Timer::Kind::kDeadline, number, static_cast<int>(i)});
  }
  for (std::size_t task = 0; task < run.tasks.size(); ++task) {
    for (const Slot& slot : run.tasks[task].slots) {
      const TaskInstance& row = slot.row;
      int index = static_cast<int>(task);
      if (row.next_at) {
        timers_.insert({*row.next_at, Timer::Kind::kTask, number, index, row.id.map_index});
      }
    }
  }
}

}  // namespace tailrace::sched
