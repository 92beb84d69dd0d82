// Which tasks of a run may be scheduled, and which end without running: Airflow's
// DagRun.update_state and the dependencies that it asks.
//
// A run is looked at in passes. One pass decides every task by the states as they were at its
// start, then all changes are made; settle() asks for passes until nothing changes. So what is
// skipped and what fails reaches a task as level after level of the graph, like in Airflow, whose
// scheduler makes one pass a loop.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "sched/state.h"

namespace tailrace::sched {
namespace {

bool is_schedulable(TaskState state) {
  return state == TaskState::kNone || state == TaskState::kUpForRetry ||
         state == TaskState::kUpForReschedule;
}

bool succeeded(TaskState state) {
  return state == TaskState::kSuccess || state == TaskState::kSkipped;
}

/// Rules that one instance upstream can decide.
bool is_fast(dags::TriggerRule rule) {
  switch (rule) {
    case dags::TriggerRule::kOneSuccess:
    case dags::TriggerRule::kOneFailed:
    case dags::TriggerRule::kOneDone:
    case dags::TriggerRule::kNoneFailedMinOneSuccess:
      return true;
    default:
      return false;
  }
}

bool contains(const std::vector<int>& list, int value) {
  return std::ranges::find(list, value) != list.end();
}

/// Rounds towards minus infinity, as Python's //.
std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

}  // namespace

void Scheduler::State::evaluate(LiveRun& run, Micros now) {
  if (run.row.state != RunState::kRunning || run.plan == nullptr || run.dag->plan == nullptr)
    return;
  if (run.row.logical_date > now) return;
  if (pass(run, now)) {
    mark_dirty(run);
  } else {
    conclude(run, now);
  }
}

/// One pass; whether it changed something.
bool Scheduler::State::pass(LiveRun& run, Micros now) {
  std::vector<std::pair<int, int>> open, ready;
  std::vector<std::tuple<int, int, TaskState>> becomes;
  bool changed = false;
  for (int task = 0; task < run.plan->size(); ++task) {
    const TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
    if (slots.finished() == slots.size()) continue;
    for (const Slot& slot : slots.slots) {
      if (is_schedulable(slot.row.state)) open.emplace_back(task, slot.row.id.map_index);
    }
  }
  for (std::size_t i = 0; i < open.size(); ++i) {
    auto [task, map_index] = open[i];
    Slot& slot = *run.tasks[static_cast<std::size_t>(task)].find(map_index);
    Decision decision = decide(run, task, slot.row, false, now);
    if (decision.becomes) {
      if (*decision.becomes != slot.row.state)
        becomes.emplace_back(task, map_index, *decision.becomes);
      continue;
    }
    if (!decision.met) continue;
    if (map_index < 0 && (*run.plan)[task].expands()) {
      if (run.dag->row.paused) continue;
      int before = run.tasks[static_cast<std::size_t>(task)].size();
      changed = true;
      if (!expand(run, task, now)) continue;
      for (int index = 0; index < run.tasks[static_cast<std::size_t>(task)].size(); ++index) {
        open.emplace_back(task, index);
      }
      CHECK(before == 1);
      continue;
    }
    ready.emplace_back(task, map_index);
  }
  for (auto [task, map_index, state] : becomes) {
    Slot& slot = *run.tasks[static_cast<std::size_t>(task)].find(map_index);
    if (is_finished(slot.row.state)) continue;
    slot.row.next_at.reset();
    set_state(run, task, slot, state, now);
    if (state == TaskState::kSkipped) tell(Notice::Kind::kTaskSkipped, run, &slot, "trigger rule");
    changed = true;
  }
  if (run.dag->row.paused) return changed;
  std::set<int> revised;
  for (std::size_t i = 0; i < ready.size(); ++i) {
    auto [task, map_index] = ready[i];
    if (map_index >= 0 && revised.insert(task).second) revise(run, task, ready, now);
    Slot& slot = *run.tasks[static_cast<std::size_t>(task)].find(map_index);
    if (!is_schedulable(slot.row.state)) continue;
    schedule(run, task, slot, now);
    changed = true;
  }
  return changed;
}

// --- the dependencies of one task instance -------------------------------------------------------

Scheduler::State::Decision Scheduler::State::decide(LiveRun& run, int task, const TaskInstance& row,
                                                    bool ignore_time, Micros now,
                                                    std::vector<std::string>* why) {
  const PlanTask& plan = (*run.plan)[task];
  Decision decision;
  if (!ignore_time && row.next_at > now) {
    decision.met = false;
    if (why != nullptr) {
      why->push_back(fmt::format(
          "It waits until {}.",
          calendar::isoformat({.instant = *row.next_at, .zone = calendar::Zone::utc()})));
    }
  }
  decision.met &= past_allows(run, plan, why);
  Decision triggered = trigger(run, task, row, why);
  decision.met &= triggered.met;
  decision.becomes = triggered.becomes;
  if (was_skipped(run, plan, row)) {
    decision = {.met = false, .becomes = TaskState::kSkipped};
    if (why != nullptr) why->push_back("A task upstream has chosen to skip it.");
  }
  bool sources_allow = true;
  if (auto state = expansion_failed(run, plan, &sources_allow)) {
    if (decision.becomes != TaskState::kUpstreamFailed) decision.becomes = state;
  }
  if (!sources_allow) {
    decision.met = false;
    if (why != nullptr) why->push_back("What it expands over has not succeeded.");
  }
  return decision;
}

bool Scheduler::State::past_allows(const LiveRun& run, const PlanTask& plan,
                                   std::vector<std::string>* why) const {
  const dags::Task& task = *plan.task;
  if (!task.depends_on_past) return true;
  if (run.row.backfill != 0 && run.row.backfill_ordinal == 1) return true;
  if (!run.row.logical_date) return true;
  const DagState& dag = *run.dag;
  bool catchup = run.plan->dag().catchup;
  auto at = dag.by_date.lower_bound(*run.row.logical_date);
  const LiveRun* previous = nullptr;
  while (at != dag.by_date.begin() && previous == nullptr) {
    --at;
    if (!catchup || at->second->row.type != RunType::kManual) previous = at->second;
  }
  if (previous == nullptr) return true;
  if (catchup && task.start_date && previous->row.logical_date < *task.start_date) return true;
  auto slots_of = [](const LiveRun& other, const std::string& id) -> const TaskSlots* {
    int index = other.plan == nullptr ? -1 : other.plan->find(id);
    if (index < 0) return nullptr;
    const TaskSlots& slots = other.tasks[static_cast<std::size_t>(index)];
    return slots.slots.empty() ? nullptr : &slots;
  };
  auto all_succeeded = [](const TaskSlots& slots) {
    return std::ranges::all_of(slots.slots,
                               [](const Slot& slot) { return succeeded(slot.row.state); });
  };
  auto no = [&](std::string text) {
    if (why != nullptr) why->push_back(std::move(text));
    return false;
  };
  if (!previous->made) return no("depends_on_past: the run before has not started.");
  const TaskSlots* before = slots_of(*previous, task.id);
  if (before == nullptr) {
    bool any_prior = false;
    for (auto prior = dag.by_date.begin(); prior != dag.by_date.lower_bound(*run.row.logical_date);
         ++prior) {
      any_prior |= slots_of(*prior->second, task.id) != nullptr;
    }
    if (task.ignore_first_depends_on_past && !any_prior) return true;
    return no("depends_on_past: the run before has no such task.");
  }
  if (!all_succeeded(*before)) {
    return no(fmt::format("depends_on_past: it has not succeeded in {}.", previous->row.id.run));
  }
  if (!task.wait_for_downstream) return true;
  for (int other : plan.downstream) {
    const TaskSlots* slots = slots_of(*previous, (*run.plan)[other].task->id);
    if (slots != nullptr && !all_succeeded(*slots)) {
      return no(fmt::format("wait_for_downstream: {} has not succeeded in {}.",
                            (*run.plan)[other].task->id, previous->row.id.run));
    }
  }
  return true;
}

Scheduler::State::Decision Scheduler::State::trigger(LiveRun& run, int task,
                                                     const TaskInstance& row,
                                                     std::vector<std::string>* why) {
  const PlanTask& plan = (*run.plan)[task];
  dags::TriggerRule rule = plan.task->trigger_rule;
  if (plan.upstream.empty() || rule == dags::TriggerRule::kAlways) return {};
  Decision decision;
  auto say = [&](std::string_view what, const UpstreamCounts& counts) {
    if (why == nullptr) return;
    why->push_back(fmt::format(
        "{}: of {} upstream {} succeeded, {} were skipped, {} failed, {} had a failure upstream.",
        what, counts.total, counts.success, counts.skipped, counts.failed, counts.upstream_failed));
  };
  if (plan.has_setups && !plan.indirect_setups.empty()) {
    bool expand = std::ranges::any_of(plan.indirect_setups,
                                      [&](int other) { return (*run.plan)[other].expands(); });
    UpstreamCounts setups = count(run, task, row, plan.indirect_setups, expand);
    Verdict verdict = judge_setups(setups, row.id.map_index);
    if (!verdict.met) say("Its setups must succeed", setups);
    decision = {.met = verdict.met, .becomes = verdict.becomes};
    if (!verdict.met && verdict.becomes && *verdict.becomes != row.state) return decision;
  }
  UpstreamCounts upstream = count(run, task, row, plan.upstream, plan.upstream_expands);
  Verdict verdict = judge(rule, upstream, row.id.map_index);
  if (!verdict.met) say(fmt::format("Trigger rule {}", name(rule)), upstream);
  decision.met &= verdict.met;
  if (verdict.becomes) decision.becomes = verdict.becomes;
  if (plan.task->is_teardown && verdict.met && !plan.teardown_scope.empty() &&
      !scope_is_done(run, task, row)) {
    decision.met = false;
    if (why != nullptr) why->push_back("Tasks between its setup and this teardown are not done.");
  }
  return decision;
}

bool Scheduler::State::scope_is_done(LiveRun& run, int task, const TaskInstance& row) {
  const PlanTask& plan = (*run.plan)[task];
  bool expand = std::ranges::any_of(plan.teardown_scope,
                                    [&](int other) { return (*run.plan)[other].expands(); });
  UpstreamCounts scope = count(run, task, row, plan.teardown_scope, expand);
  return scope.done() >= scope.total;
}

UpstreamCounts Scheduler::State::count(LiveRun& run, int task, const TaskInstance& row,
                                       const std::vector<int>& upstream, bool expands) {
  UpstreamCounts counts;
  bool in_group = !(*run.plan)[task].mapped_groups.empty();
  for (int other : upstream) {
    TaskSlots& slots = run.tasks[static_cast<std::size_t>(other)];
    bool is_setup = (*run.plan)[other].task->is_setup;
    int total = slots.size();
    Relevant which;
    bool has_many = !slots.slots.empty() && slots.slots.front().row.id.map_index >= 0;
    if (in_group && has_many) which = relevant(run, task, row, other);
    if (which.all) {
      for (int state = 0; state < kTaskStates; ++state) {
        counts.add(static_cast<TaskState>(state), is_setup,
                   slots.counts[static_cast<std::size_t>(state)]);
      }
    } else {
      total = 0;
      for (std::int64_t index = std::max<std::int64_t>(which.from, 0); index < which.to; ++index) {
        const Slot* slot = slots.find(static_cast<int>(index));
        if (slot == nullptr) break;
        ++total;
        counts.add(slot->row.state, is_setup);
      }
    }
    // Airflow counts the rows where something expands, and the tasks where nothing does.
    counts.total += expands ? total : 1;
    if (is_setup) counts.total_setups += expands ? total : 1;
  }
  return counts;
}

/// TaskInstance.get_relevant_upstream_map_indexes and what TriggerRuleDep makes of it.
Scheduler::State::Relevant Scheduler::State::relevant(LiveRun& run, int task,
                                                      const TaskInstance& row, int upstream) {
  const PlanTask& plan = (*run.plan)[task];
  const PlanTask& other = (*run.plan)[upstream];
  if (row.id.map_index < 0 && is_fast(plan.task->trigger_rule) &&
      !contains(plan.any_expansion_sources, upstream)) {
    return {};
  }
  std::optional<std::int64_t> own = mapped_count(run, task);
  if (!own || *own == 0) return {};
  auto ancestor = std::ranges::find_if(
      other.mapped_groups, [&](int group) { return contains(plan.mapped_groups, group); });
  if (ancestor == other.mapped_groups.end()) return {};
  std::optional<std::int64_t> ancestors = group_count(run, *ancestor);
  if (!ancestors || *ancestors == 0) return {};
  std::int64_t index = floor_divide(row.id.map_index * *ancestors, *own);
  bool further = other.task->expansion.has_value() || ancestor != other.mapped_groups.begin();
  if (!further) return {.all = false, .from = index, .to = index + 1};
  std::int64_t each = *own / *ancestors;
  return {.all = false, .from = index * each, .to = index * each + each};
}

/// Airflow's NotPreviouslySkippedDep: a branch upstream that did not choose it.
bool Scheduler::State::was_skipped(LiveRun& run, const PlanTask& plan,
                                   const TaskInstance& row) const {
  for (int other : plan.upstream) {
    TaskSlots& slots = run.tasks[static_cast<std::size_t>(other)];
    bool mapped = (*run.plan)[other].task->expansion.has_value();
    const Slot* slot = slots.find(mapped ? row.id.map_index : -1);
    if (slot == nullptr || slot->row.skips.empty() || !is_finished(slot->row.state)) continue;
    if (std::ranges::find(slot->row.skips, row.id.task) != slot->row.skips.end()) return true;
  }
  return false;
}

/// Airflow's MappedTaskUpstreamDep: what becomes of a task whose sources did not all succeed.
std::optional<TaskState> Scheduler::State::expansion_failed(LiveRun& run, const PlanTask& plan,
                                                            bool* met) const {
  bool any = false, success_only = true, any_failed = false, any_skipped = false;
  for (int source : plan.expansion_sources) {
    const Slot* slot = run.tasks[static_cast<std::size_t>(source)].find(-1);
    if (slot == nullptr || !is_finished(slot->row.state)) continue;
    any = true;
    success_only &= slot->row.state == TaskState::kSuccess;
    any_failed |=
        slot->row.state == TaskState::kFailed || slot->row.state == TaskState::kUpstreamFailed;
    any_skipped |= slot->row.state == TaskState::kSkipped;
  }
  if (!any || success_only) return std::nullopt;
  *met = false;
  if (any_failed) return TaskState::kUpstreamFailed;
  if (any_skipped) return TaskState::kSkipped;
  return std::nullopt;
}

// --- expansion -----------------------------------------------------------------------------------

std::optional<std::int64_t> Scheduler::State::length(const LiveRun& run,
                                                     const jinja::Value& value) const {
  if (const auto* list = value.list()) return static_cast<std::int64_t>(list->size());
  if (const auto* tuple = value.tuple()) return static_cast<std::int64_t>(tuple->items.size());
  if (const auto* dict = value.dict()) return static_cast<std::int64_t>(dict->size());
  const auto* object = value.object();
  if (object == nullptr) return std::nullopt;
  const auto* argument = dynamic_cast<const dags::XComArg*>(object->get());
  int source = argument == nullptr ? -1 : run.plan->find(argument->task_id);
  if (source < 0) return std::nullopt;
  const TaskSlots& slots = run.tasks[static_cast<std::size_t>(source)];
  if ((*run.plan)[source].task->expansion) {
    if (slots.slots.empty() || slots.finished() < slots.size()) return std::nullopt;
    return std::ranges::count_if(slots.slots, [](const Slot& slot) {
      return slot.row.returned && slot.row.id.map_index >= 0;
    });
  }
  if (slots.size() != 1) return std::nullopt;
  return slots.slots.front().row.mapped_length;
}

std::optional<std::int64_t> Scheduler::State::length(const LiveRun& run,
                                                     const dags::Expansion& expansion) const {
  if (expansion.arguments.empty()) return 0;
  std::int64_t product = 1;
  for (const auto& [name, value] : expansion.arguments) {
    std::optional<std::int64_t> one = length(run, value);
    if (!one) return std::nullopt;
    product *= *one;
  }
  return product;
}

std::optional<std::int64_t> Scheduler::State::group_count(const LiveRun& run, int group) const {
  std::int64_t product = 1;
  const auto& groups = run.plan->dag().groups;
  for (const dags::Group* at = &groups[static_cast<std::size_t>(group)]; at != nullptr;) {
    if (at->expansion) {
      std::optional<std::int64_t> one = length(run, *at->expansion);
      if (!one) return std::nullopt;
      product *= *one;
    }
    auto parent = std::ranges::find(groups, at->parent, &dags::Group::id);
    at = at->parent.empty() || parent == groups.end() ? nullptr : &*parent;
  }
  return product;
}

/// How many instances a task that expands has; none while its sources are not all done.
std::optional<std::int64_t> Scheduler::State::mapped_count(const LiveRun& run, int task) const {
  const PlanTask& plan = (*run.plan)[task];
  std::int64_t product = 1;
  if (plan.task->expansion) {
    std::optional<std::int64_t> own = length(run, *plan.task->expansion);
    if (!own) return std::nullopt;
    product = *own;
  }
  if (!plan.mapped_groups.empty()) {
    std::optional<std::int64_t> groups = group_count(run, plan.mapped_groups.front());
    if (!groups) return std::nullopt;
    product *= *groups;
  }
  return product;
}

bool Scheduler::State::expand(LiveRun& run, int task, Micros now) {
  TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
  std::optional<std::int64_t> count = mapped_count(run, task);
  Slot& only = slots.slots.front();
  if (!count || *count < 1) {
    set_state(run, task, only, count ? TaskState::kSkipped : TaskState::kUpstreamFailed, now);
    return false;
  }
  effects_.changes.emplace_back(Gone{only.row.id});
  only.row.id.map_index = 0;
  only.touched = false;
  touch(run, only);
  for (int index = 1; index < *count; ++index) add_instance(run, task, index, TaskState::kNone);
  return true;
}

/// After a clear the sources may have another length: instances come and go.
void Scheduler::State::revise(LiveRun& run, int task, std::vector<std::pair<int, int>>& ready,
                              Micros now) {
  if (!(*run.plan)[task].expands()) return;
  std::optional<std::int64_t> count = mapped_count(run, task);
  if (!count) return;
  TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
  for (int index = static_cast<int>(*count); index < slots.size(); ++index) {
    set_state(run, task, slots.slots[static_cast<std::size_t>(index)], TaskState::kRemoved, now);
  }
  for (int index = slots.size(); index < *count; ++index) {
    add_instance(run, task, index, TaskState::kNone);
    ready.emplace_back(task, index);
  }
}

void Scheduler::State::schedule(LiveRun& run, int task, Slot& slot, Micros now) {
  TaskInstance& row = slot.row;
  if (row.state != TaskState::kUpForReschedule) {
    ++row.try_number;
    row.first_started_at.reset();
  }
  row.next_at.reset();
  row.ended_at.reset();
  row.returned = false;
  row.mapped_length.reset();
  row.skips.clear();
  if ((*run.plan)[task].trivial) {
    row.started_at = now;
    row.ended_at = now;
    set_state(run, task, slot, TaskState::kSuccess, now);
    return;
  }
  row.scheduled_at = now;
  set_state(run, task, slot, TaskState::kScheduled, now);
}

/// Airflow's "task deadlock": nothing runs, nothing waits, and nothing may ever run.
bool Scheduler::State::deadlocked(LiveRun& run, Micros now) {
  if (run.active > 0 || !run.ready.empty()) return false;
  for (int task = 0; task < run.plan->size(); ++task) {
    const TaskSlots& slots = run.tasks[static_cast<std::size_t>(task)];
    if (slots.finished() == slots.size()) continue;
    const dags::Task& what = *(*run.plan)[task].task;
    if (what.depends_on_past || what.max_active_tis_per_dag || what.max_active_tis_per_dagrun) {
      return false;
    }
    for (const Slot& slot : slots.slots) {
      if (is_finished(slot.row.state)) continue;
      if (slot.row.state == TaskState::kDeferred) return false;
      if (decide(run, task, slot.row, true, now).met) return false;
    }
  }
  return true;
}

std::vector<std::string> Scheduler::State::why_waiting(const TaskId& id, Micros now) {
  std::vector<std::string> why;
  LiveRun* run = find(id.run);
  int task = run == nullptr || run->plan == nullptr ? -1 : run->plan->find(id.task);
  if (task < 0) return why;
  Slot* slot = run->tasks[static_cast<std::size_t>(task)].find(id.map_index);
  if (slot == nullptr) {
    if (run->row.state == RunState::kQueued) why.push_back("Its run is queued.");
    return why;
  }
  TaskState state = slot->row.state;
  if (is_finished(state) || state == TaskState::kRunning || state == TaskState::kQueued) return why;
  if (run->dag->row.paused) why.push_back("Its DAG is paused.");
  if (run->row.state != RunState::kRunning) {
    why.push_back(fmt::format("Its run is {}.", name(run->row.state)));
  }
  if (run->row.logical_date > now) why.push_back("Its logical date is in the future.");
  if (state == TaskState::kScheduled) {
    explain_slots(*run, task, why);
  } else if (state == TaskState::kDeferred) {
    why.push_back("It is deferred: a trigger waits for it.");
  } else {
    decide(*run, task, slot->row, false, now, &why);
  }
  return why;
}

}  // namespace tailrace::sched
