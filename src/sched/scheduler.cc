// The calls of Scheduler: an event changes rows, settle() follows it to its end, end_turn() gathers
// what has changed.
#include "sched/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "sched/state.h"

namespace tailrace::sched {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

}  // namespace

Slot* TaskSlots::find(int map_index) {
  if (slots.empty()) return nullptr;
  if (slots.front().row.id.map_index < 0) return map_index < 0 ? &slots.front() : nullptr;
  if (map_index < 0 || map_index >= size()) return nullptr;
  return &slots[static_cast<std::size_t>(map_index)];
}

int TaskSlots::finished() const {
  return count(TaskState::kSuccess) + count(TaskState::kFailed) + count(TaskState::kSkipped) +
         count(TaskState::kUpstreamFailed) + count(TaskState::kRemoved);
}

// --- Scheduler: what State does ------------------------------------------------------------------

Scheduler::Scheduler(Settings settings) : state_(std::make_unique<State>(settings)) {}
Scheduler::~Scheduler() = default;

void Scheduler::restore(std::vector<Change> rows) {
  state_->restore(std::move(rows));
}
void Scheduler::recall(std::vector<Change> rows) {
  state_->recall(std::move(rows));
}

Effects Scheduler::set_dags(std::vector<std::shared_ptr<const dags::Dag>> dags, Micros now) {
  return state_->set_dags(std::move(dags), now);
}
Result<Effects> Scheduler::handle(const Event& event, Micros now) {
  return state_->handle(event, now);
}
Effects Scheduler::tick(Micros now) {
  return state_->tick(now);
}
std::optional<Micros> Scheduler::wake_at() const {
  return state_->wake_at();
}

std::vector<Wanted> Scheduler::wanted(const Event& event) const {
  auto looks_back = [&](const std::string& id) {
    const DagState* dag = state_->find_dag(id);
    return dag != nullptr && dag->plan != nullptr && dag->plan->depends_on_past();
  };
  auto one = [&](const RunId& id) {
    return std::vector<Wanted>{{.dag = id.dag, .run = id.run, .before = looks_back(id.dag)}};
  };
  return std::visit(Overloaded{
                        [&](const Clear& clear) {
                          std::vector<Wanted> wanted = one(clear.run);
                          if (clear.past || clear.future) wanted.push_back({.dag = clear.run.dag});
                          return wanted;
                        },
                        [&](const SetTask& set) { return one(set.task.run); },
                        [&](const SetRun& set) { return one(set.run); },
                        [&](const DeleteRun& gone) { return one(gone.run); },
                        [&](const SetNote& note) { return one(note.run); },
                        [&](const Trigger& trigger) {
                          std::vector<Wanted> wanted;
                          if (trigger.run_id)
                            wanted.push_back({.dag = trigger.dag, .run = trigger.run_id});
                          if (const auto& date = trigger.logical_date) {
                            wanted.push_back({.dag = trigger.dag,
                                              .from = date,
                                              .to = date,
                                              .before = looks_back(trigger.dag)});
                          }
                          return wanted;
                        },
                        [&](const MakeBackfill& make) {
                          return std::vector<Wanted>{{.dag = make.wanted.dag,
                                                      .from = make.wanted.from,
                                                      .to = make.wanted.to,
                                                      .before = looks_back(make.wanted.dag)}};
                        },
                        [](const auto&) { return std::vector<Wanted>{}; },
                    },
                    event);
}

std::int64_t Scheduler::room(std::string_view uri) const {
  return state_->room(uri);
}

const Run* Scheduler::find(const RunId& id) const {
  LiveRun* run = state_->find(id);
  return run == nullptr ? nullptr : &run->row;
}

std::vector<const TaskInstance*> Scheduler::tasks(const RunId& id) const {
  std::vector<const TaskInstance*> found;
  LiveRun* run = state_->find(id);
  if (run == nullptr) return found;
  if (run->plan != nullptr && !run->tasks.empty()) {
    for (int task : run->plan->dag().topological_order) {
      for (const Slot& slot : run->tasks[static_cast<std::size_t>(task)].slots) {
        found.push_back(&slot.row);
      }
    }
  }
  for (const TaskInstance& row : run->others) found.push_back(&row);
  return found;
}

std::vector<const Run*> Scheduler::runs(std::string_view dag) const {
  std::vector<const Run*> found;
  if (const DagState* state = state_->find_dag(dag)) {
    for (const auto& [number, run] : state->by_number) found.push_back(&run->row);
  }
  return found;
}

const DagRow* Scheduler::row(std::string_view dag) const {
  const DagState* state = state_->find_dag(dag);
  return state == nullptr ? nullptr : &state->row;
}

std::vector<const Pool*> Scheduler::pools() const {
  std::vector<const Pool*> found;
  for (const auto& [name, pool] : state_->pools()) found.push_back(&pool.row);
  return found;
}

std::vector<std::string> Scheduler::why_waiting(const TaskId& task, Micros now) const {
  return state_->why_waiting(task, now);
}

// --- what is kept --------------------------------------------------------------------------------

Scheduler::State::State(Settings settings) : settings_(settings) {
  pools_["default_pool"].row = {.name = "default_pool", .description = "Default pool"};
}

DagState& Scheduler::State::dag(const std::string& id) {
  auto& found = dags_[id];
  if (found == nullptr) {
    found = std::make_unique<DagState>();
    found->row = {.id = id, .paused = settings_.paused_at_creation};
    found->number = static_cast<int>(numbered_dags_.size());
    numbered_dags_.push_back(found.get());
  }
  return *found;
}

DagState* Scheduler::State::find_dag(std::string_view id) const {
  auto found = dags_.find(id);
  return found == dags_.end() ? nullptr : found->second.get();
}

LiveRun* Scheduler::State::find(const RunId& id) const {
  const DagState* dag = find_dag(id.dag);
  if (dag == nullptr) return nullptr;
  auto found = dag->runs.find(id.run);
  return found == dag->runs.end() ? nullptr : found->second.get();
}

LiveRun* Scheduler::State::by_number(std::int64_t number) const {
  auto found = numbered_runs_.find(number);
  return found == numbered_runs_.end() ? nullptr : found->second;
}

LiveRun& Scheduler::State::add_run(Run row) {
  DagState& of = dag(row.id.dag);
  auto& run = of.runs[row.id.run];
  CHECK(run == nullptr);
  run = std::make_unique<LiveRun>();
  run->row = std::move(row);
  run->dag = &of;
  of.by_number[run->row.number] = run.get();
  numbered_runs_[run->row.number] = run.get();
  if (run->row.logical_date) of.by_date[*run->row.logical_date] = run.get();
  switch (run->row.state) {
    case RunState::kQueued:
      of.queued.insert({run->row.backfill_ordinal, run->row.run_after, run->row.number});
      break;
    case RunState::kRunning:
      ++of.running[run->row.backfill];
      break;
    default:
      of.finished.push_back(run->row.number);
  }
  if (!run->finished() && run->row.type != RunType::kBackfill) ++of.active;
  return *run;
}

/// Puts a kept task instance where its run has it, or aside while no version of the DAG is known.
void Scheduler::State::place(LiveRun& run, TaskInstance row) {
  run.made = true;
  int task = run.plan == nullptr ? -1 : run.plan->find(row.id.task);
  if (task < 0) {
    run.others.push_back(std::move(row));
    return;
  }
  TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
  TaskState state = row.state;
  slots.slots.push_back({.row = std::move(row)});
  ++slots.counts[static_cast<std::size_t>(state)];
  if (!is_finished(state)) ++run.unfinished;
  occupy(run, task, state, 1);
  if (state == TaskState::kScheduled) {
    run.ready.insert({-(*run.plan)[task].weight, slots.slots.back().row.id.map_index, task});
    runs_with_ready_.insert(run.row.number);
  }
}

void Scheduler::State::load(std::vector<Change> rows) {
  std::vector<TaskInstance> instances;
  for (Change& row : rows) {
    std::visit(Overloaded{
                   [&](DagRow& it) { dag(it.id).row = std::move(it); },
                   [&](Run& it) {
                     if (find(it.id) == nullptr) add_run(std::move(it));
                   },
                   [&](TaskInstance& it) { instances.push_back(std::move(it)); },
                   [&](AssetEvent& it) { events_[it.id].event = std::move(it); },
                   [&](Pool& it) { pools_[it.name].row = std::move(it); },
                   [&](Backfill& it) {
                     if (!it.completed_at) backfills_[it.id] = std::move(it);
                   },
                   [&](Numbers& it) { numbers_ = it; },
                   [](Gone&) { CHECK(false); },
               },
               row);
  }
  std::ranges::sort(instances, {}, [](const TaskInstance& row) {
    return std::tie(row.id.run, row.id.task, row.id.map_index);
  });
  std::set<LiveRun*> had;
  for (TaskInstance& row : instances) {
    LiveRun* run = find(row.id.run);
    if (run == nullptr) continue;
    bool is_new = !run->made || had.contains(run);
    if (!is_new) continue;  // recalled, and in memory already
    had.insert(run);
    place(*run, std::move(row));
  }
}

void Scheduler::State::restore(std::vector<Change> rows) {
  load(std::move(rows));
  for (auto& [id, dag] : dags_) {
    for (std::int64_t event : dag->row.pending_asset_events) ++events_[event].holders;
    std::ranges::sort(dag->finished, {}, [&](std::int64_t number) {
      return std::pair(dag->by_number.at(number)->row.ended_at.value_or(0), number);
    });
  }
  std::erase_if(events_, [](const auto& held) { return held.second.holders == 0; });
}

void Scheduler::State::recall(std::vector<Change> rows) {
  std::vector<LiveRun*> fresh;
  std::vector<RunId> ids;
  for (const Change& row : rows) {
    if (const Run* run = std::get_if<Run>(&row); run != nullptr && find(run->id) == nullptr) {
      ids.push_back(run->id);
    }
  }
  load(std::move(rows));
  for (const RunId& id : ids) {
    LiveRun* run = find(id);
    if (run->dag->plan != nullptr) attach(*run, run->dag->plan, 0);
  }
}

Effects Scheduler::State::set_dags(std::vector<std::shared_ptr<const dags::Dag>> dags, Micros now) {
  std::set<std::string> present;
  listeners_.clear();
  for (auto& given : dags) {
    present.insert(given->id);
    bool is_new = find_dag(given->id) == nullptr;
    DagState& dag = this->dag(given->id);
    if (is_new || std::exchange(dag.forgotten, false)) {
      dag.row.paused = given->paused_upon_creation.value_or(settings_.paused_at_creation);
      touch(dag);
    }
    bool same = dag.plan != nullptr && dag.plan->dag().version == given->version;
    if (!same) dag.plan = std::make_shared<const Plan>(std::move(given));
    const dags::Dag& now_is = dag.plan->dag();
    if (dag.row.version != now_is.version) {
      dag.row.version = now_is.version;
      dag.row.next.reset();
      touch(dag);
    }
    dag.batch = now_is.assets ? batch_of(*now_is.assets) : AssetBatch{};
    if (now_is.assets) {
      for (const std::string& name : listens_to(*now_is.assets)) listeners_[name].push_back(&dag);
    }
  }
  for (auto& [id, dag] : dags_) {
    if (!present.contains(id)) {
      dag->plan = nullptr;
      continue;
    }
    dags_to_check_.insert(dag->number);
    for (auto& [number, run] : dag->by_number) {
      // Runs under way keep their version; what has not begun takes the new one.
      bool waits = run->row.state == RunState::kQueued && !run->made;
      if (run->plan == nullptr || waits) attach(*run, dag->plan, now);
      if (!run->finished()) mark_dirty(*run);
      set_timers(*run, now);
    }
  }
  // What was queued when all stopped has not begun.
  for (auto& [id, dag] : dags_) {
    for (auto& [number, run] : dag->by_number) {
      for (const TaskSlots& task : run->tasks) {
        for (const Slot& slot : task.slots) {
          if (slot.row.state == TaskState::kQueued && !starts_told_) {
            effects_.starts.push_back({slot.row.id, slot.row.try_number});
          }
        }
      }
    }
  }
  starts_told_ = true;
  settle(now);
  return end_turn();
}

// --- events and time -----------------------------------------------------------------------------

Result<Effects> Scheduler::State::handle(const Event& event, Micros now) {
  TRY(std::visit(Overloaded{
                     [&](const Started& it) { return started(it, now); },
                     [&](const Finished& it) { return finished(it, now); },
                     [&](const Resume& it) { return resume(it, now); },
                     [&](const Lost& it) { return lost(it, now); },
                     [&](const Interrupted& it) { return interrupted(it, now); },
                     [&](const AssetHappened& it) -> Status {
                       asset_happened({.asset_uri = it.uri,
                                       .extra = it.extra,
                                       .count = std::max<std::int64_t>(it.count, 1),
                                       .aliases = it.aliases},
                                      now);
                       return {};
                     },
                     [&](const Trigger& it) { return trigger_run(it, now); },
                     [&](const Clear& it) { return clear(it, now); },
                     [&](const SetTask& it) { return set_task(it, now); },
                     [&](const SetRun& it) { return set_run(it, now); },
                     [&](const DeleteRun& it) { return delete_run(it, now); },
                     [&](const ForgetDag& it) { return forget_dag(it, now); },
                     [&](const DropPending& it) { return drop_pending(it); },
                     [&](const Pause& it) { return pause(it, now); },
                     [&](const SetPool& it) { return set_pool(it); },
                     [&](const DropPool& it) { return drop_pool(it); },
                     [&](const MakeBackfill& it) { return make_backfill(it, now); },
                     [&](const SetBackfill& it) { return set_backfill(it, now); },
                     [&](const SetNote& it) { return set_note(it); },
                 },
                 event));
  settle(now);
  return end_turn();
}

Effects Scheduler::State::tick(Micros now) {
  while (!timers_.empty() && timers_.begin()->at <= now) {
    Timer timer = *timers_.begin();
    timers_.erase(timers_.begin());
    if (is_due(timer)) fire(timer, now);
  }
  settle(now);
  return end_turn();
}

std::optional<Micros> Scheduler::State::wake_at() {
  if (more_) return 0;
  while (!timers_.empty() && !is_due(*timers_.begin())) timers_.erase(timers_.begin());
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->at;
}

/// Whether what the timer was set for still stands.
bool Scheduler::State::is_due(const Timer& timer) const {
  using Kind = Timer::Kind;
  if (timer.kind == Kind::kDag || timer.kind == Kind::kBatch) {
    const DagState& dag = *numbered_dags_[static_cast<std::size_t>(timer.id)];
    if (!dag.can_run()) return false;
    if (timer.kind == Kind::kBatch) return !dag.row.pending_asset_events.empty();
    return dag.row.next && dag.row.next->run_after == timer.at;
  }
  LiveRun* run = by_number(timer.id);
  if (run == nullptr) return false;
  switch (timer.kind) {
    case Kind::kRun:
      return !run->finished();
    case Kind::kRunTimeout:
      return run->row.state == RunState::kRunning && run->row.started_at && run->plan &&
             run->plan->dag().dagrun_timeout &&
             *run->row.started_at + *run->plan->dag().dagrun_timeout <= timer.at;
    case Kind::kDeadline:
      return run->row.state != RunState::kSuccess &&
             ((run->row.deadlines_told >> timer.task) & 1) == 0;
    default:
      break;
  }
  if (static_cast<std::size_t>(timer.task) >= run->tasks.size()) return false;
  const Slot* slot = run->tasks[static_cast<std::size_t>(timer.task)].find(timer.map_index);
  if (slot == nullptr) return false;
  const TaskInstance& row = slot->row;
  return row.next_at == timer.at && !is_finished(row.state);
}

void Scheduler::State::fire(const Timer& timer, Micros now) {
  using Kind = Timer::Kind;
  if (timer.kind == Kind::kDag || timer.kind == Kind::kBatch) {
    dags_to_check_.insert(static_cast<int>(timer.id));
    return;
  }
  LiveRun& run = *by_number(timer.id);
  switch (timer.kind) {
    case Kind::kRun:
      dags_to_check_.insert(run.dag->number);
      mark_dirty(run);
      return;
    case Kind::kRunTimeout:
      time_out(run, now);
      return;
    case Kind::kDeadline:
      run.row.deadlines_told |= std::uint64_t{1} << timer.task;
      touch(run);
      tell(Notice::Kind::kDeadlineMissed, run, nullptr,
           fmt::format("deadline {} of the DAG has passed", timer.task),
           std::to_string(timer.task));
      if (run.finished()) forget_finished(*run.dag);
      return;
    default:
      break;
  }
  Slot& slot = *run.tasks[static_cast<std::size_t>(timer.task)].find(timer.map_index);
  if (slot.row.state == TaskState::kDeferred) {
    slot.row.next_at.reset();
    set_state(run, timer.task, slot, TaskState::kScheduled, now);
  }
  mark_dirty(run);
}

/// What follows, loop after loop as Airflow's scheduler goes: at most one run of a DAG is made,
/// runs start, each run is looked at once, slots are given; until nothing changes. So tasks are
/// queued in the same order.
void Scheduler::State::settle(Micros now) {
  more_ = false;
  made_.clear();
  dags_to_check_.merge(again_);
  while (!dags_to_check_.empty() || !dirty_.empty()) {
    for (int number : std::exchange(dags_to_check_, {})) {
      DagState& dag = *numbered_dags_[static_cast<std::size_t>(number)];
      make_due_run(dag, now);
      make_asset_runs(dag, now);
      start_runs(dag, now);
    }
    std::vector<LiveRun*> runs = std::exchange(dirty_, {});
    std::ranges::sort(runs, {}, [](const LiveRun* run) { return run->row.number; });
    for (LiveRun* run : runs) {
      run->dirty = false;
      evaluate(*run, now);
    }
    queue_tasks(now);
  }
  queue_tasks(now);
}

// --- what a turn has changed ---------------------------------------------------------------------

void Scheduler::State::touch(DagState& dag) {
  if (!dag.touched) touched_dags_.push_back(&dag);
  dag.touched = true;
}

void Scheduler::State::touch(LiveRun& run) {
  if (!run.touched) touched_runs_.push_back(&run);
  run.touched = true;
}

void Scheduler::State::touch(LiveRun& run, Slot& slot) {
  if (!slot.touched) touched_slots_.push_back({&run, slot.row.id.task, slot.row.id.map_index});
  slot.touched = true;
}

void Scheduler::State::mark_dirty(LiveRun& run) {
  if (!run.dirty) dirty_.push_back(&run);
  run.dirty = true;
}

Effects Scheduler::State::end_turn() {
  if (touched_numbers_) effects_.changes.push_back(numbers_);
  touched_numbers_ = false;
  for (DagState* dag : touched_dags_) {
    effects_.changes.push_back(dag->row);
    dag->touched = false;
  }
  for (LiveRun* run : touched_runs_) {
    effects_.changes.push_back(run->row);
    run->touched = false;
  }
  for (const TouchedSlot& touched : touched_slots_) {
    int task = touched.run->plan->find(touched.task);
    if (task < 0) continue;
    Slot* slot = touched.run->tasks[static_cast<std::size_t>(task)].find(touched.map_index);
    if (slot == nullptr || !slot->touched) continue;
    slot->touched = false;
    effects_.changes.push_back(slot->row);
  }
  touched_dags_.clear();
  touched_runs_.clear();
  touched_slots_.clear();
  for (LiveRun* run : to_forget_) forget(*run);
  to_forget_.clear();
  return std::exchange(effects_, {});
}

}  // namespace tailrace::sched
