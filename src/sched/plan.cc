// Plan: one pass for each kind of fact, when a DAG of a new version arrives.
#include "sched/plan.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace tailrace::sched {
namespace {

constexpr std::string_view kEmptyOperators[] = {
    "airflow.providers.standard.operators.empty.EmptyOperator",
    "airflow.operators.empty.EmptyOperator",
};

bool is_set(const jinja::Value& value) {
  return !value.is_none() && !value.is_undefined();
}

bool is_trivial(const dags::Task& task) {
  return std::ranges::find(kEmptyOperators, task.operator_path) != std::end(kEmptyOperators) &&
         !is_set(task.on_execute) && !is_set(task.on_success) && task.outlets.empty() &&
         task.inlets.empty();
}

void add_once(std::vector<int>& list, int value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

}  // namespace

std::vector<const dags::XComArg*> references(const dags::Expansion& expansion) {
  std::vector<const dags::XComArg*> found;
  auto look = [&](const jinja::Value& value) {
    if (const auto* object = value.object()) {
      if (const auto* argument = dynamic_cast<const dags::XComArg*>(object->get())) {
        found.push_back(argument);
      }
    }
  };
  for (const auto& [parameter, value] : expansion.arguments) {
    look(value);
    if (const auto* list = value.list();
        list != nullptr && expansion.kind == dags::Expansion::Kind::kZip) {
      std::ranges::for_each(*list, look);
    }
  }
  return found;
}

Plan::Plan(std::shared_ptr<const dags::Dag> dag) : dag_(std::move(dag)) {
  link();
  close_over();
  weigh();
  find_leaves();
  find_groups();
  find_setups();
  restrict();
}

int Plan::find(std::string_view task_id) const {
  auto found = index_.find(task_id);
  return found == index_.end() ? -1 : found->second;
}

void Plan::link() {
  for (const dags::Task& task : dag_->tasks) {
    index_.emplace(task.id, static_cast<int>(tasks_.size()));
    tasks_.push_back({.task = &task, .trivial = is_trivial(task)});
    if (task.depends_on_past || task.wait_for_downstream) depends_on_past_ = true;
  }
  for (int i = 0; i < size(); ++i) {
    for (const std::string& id : tasks_[i].task->upstream) {
      if (int other = find(id); other >= 0) add_once(tasks_[i].upstream, other);
    }
    for (int other : tasks_[i].upstream) add_once(tasks_[other].downstream, i);
  }
  for (PlanTask& task : tasks_) {
    std::ranges::sort(task.upstream);
    std::ranges::sort(task.downstream);
  }
}

void Plan::close_over() {
  auto closure = [&](int from, auto relatives) {
    std::vector<bool> seen(tasks_.size());
    std::vector<int> open = relatives(tasks_[from]);
    while (!open.empty()) {
      int next = open.back();
      open.pop_back();
      if (seen[next]) continue;
      seen[next] = true;
      for (int other : relatives(tasks_[next])) open.push_back(other);
    }
    return seen;
  };
  for (int i = 0; i < size(); ++i) {
    tasks_[i].all_upstream = closure(i, [](const PlanTask& task) { return task.upstream; });
    tasks_[i].all_downstream = closure(i, [](const PlanTask& task) { return task.downstream; });
  }
}

void Plan::weigh() {
  for (PlanTask& task : tasks_) {
    std::int64_t sum = task.task->priority_weight;
    if (task.task->weight_rule != dags::WeightRule::kAbsolute) {
      const auto& relatives = task.task->weight_rule == dags::WeightRule::kDownstream
                                  ? task.all_downstream
                                  : task.all_upstream;
      for (int i = 0; i < size(); ++i) {
        if (relatives[i]) sum += tasks_[i].task->priority_weight;
      }
    }
    // Airflow's column is an int of 32 bits.
    task.weight = std::clamp<std::int64_t>(sum, std::numeric_limits<std::int32_t>::min(),
                                           std::numeric_limits<std::int32_t>::max());
  }
}

void Plan::find_leaves() {
  auto counts = [](const dags::Task& task) {
    return !task.is_teardown || task.on_failure_fail_dagrun;
  };
  bool any = false;
  for (PlanTask& task : tasks_) {
    bool has_counting_downstream = std::ranges::any_of(
        task.downstream, [&](int other) { return counts(*tasks_[other].task); });
    task.decides_run = !has_counting_downstream && counts(*task.task);
    any |= task.decides_run;
  }
  if (any) return;
  // A DAG of teardowns only.
  for (PlanTask& task : tasks_) task.decides_run = task.downstream.empty();
}

void Plan::find_groups() {
  auto index_of = [&](const std::string& id) {
    for (std::size_t i = 0; i < dag_->groups.size(); ++i) {
      if (dag_->groups[i].id == id) return static_cast<int>(i);
    }
    return -1;
  };
  auto add_sources = [&](const dags::Expansion& expansion, std::vector<int>& sources) {
    for (const dags::XComArg* argument : references(expansion)) {
      if (int source = find(argument->task_id); source >= 0) add_once(sources, source);
    }
  };
  for (PlanTask& task : tasks_) {
    for (std::string id = task.task->group; !id.empty();) {
      int group = index_of(id);
      if (group < 0) break;
      if (dag_->groups[group].expansion) task.mapped_groups.push_back(group);
      id = dag_->groups[group].parent;
    }
    if (task.task->expansion) add_sources(*task.task->expansion, task.any_expansion_sources);
    task.expansion_sources = task.any_expansion_sources;
    for (std::size_t i = 0; i < task.mapped_groups.size(); ++i) {
      const dags::Expansion& expansion = *dag_->groups[task.mapped_groups[i]].expansion;
      add_sources(expansion, task.any_expansion_sources);
      if (i == 0 && !task.task->expansion) add_sources(expansion, task.expansion_sources);
    }
  }
  for (PlanTask& task : tasks_) {
    task.upstream_expands =
        std::ranges::any_of(task.upstream, [&](int other) { return tasks_[other].expands(); });
  }
}

std::vector<int> Plan::setups_of(int index, bool teardowns) const {
  const PlanTask& task = tasks_[index];
  std::vector<int> found;
  for (int i = 0; i < size(); ++i) {
    if (!task.all_upstream[i] || !tasks_[i].task->is_setup) continue;
    bool has_teardown = false, has_teardown_after = false;
    for (int other : tasks_[i].downstream) {
      if (!tasks_[other].task->is_teardown) continue;
      has_teardown = true;
      has_teardown_after |= task.all_downstream[other];
    }
    if (has_teardown && !has_teardown_after) continue;
    add_once(found, i);
    if (!teardowns) continue;
    for (int other : tasks_[i].downstream) {
      if (tasks_[other].task->is_teardown && other != index) add_once(found, other);
    }
  }
  return found;
}

void Plan::find_setups() {
  for (int i = 0; i < size(); ++i) {
    PlanTask& task = tasks_[i];
    if (!task.task->is_teardown) {
      std::vector<int> setups = setups_of(i, false);
      // A teardown among the setups' own is no setup; a task that is both counts as it says.
      task.has_setups = !setups.empty();
      for (int setup : setups) {
        if (std::ranges::find(task.upstream, setup) == task.upstream.end()) {
          task.indirect_setups.push_back(setup);
        }
      }
      continue;
    }
    for (int between = 0; between < size(); ++between) {
      bool indirect = task.all_upstream[between] &&
                      std::ranges::find(task.upstream, between) == task.upstream.end();
      if (!indirect) continue;
      bool in_scope = std::ranges::any_of(task.upstream, [&](int setup) {
        return tasks_[setup].task->is_setup && tasks_[setup].all_downstream[between];
      });
      if (in_scope) task.teardown_scope.push_back(between);
    }
  }
}

void Plan::restrict() {
  restriction_ = {.earliest = dag_->start_date, .latest = dag_->end_date, .catchup = dag_->catchup};
  bool all_end = true;
  std::optional<calendar::Micros> last_end = dag_->end_date;
  for (const PlanTask& task : tasks_) {
    if (const auto& start = task.task->start_date) {
      restriction_.earliest = std::min(restriction_.earliest.value_or(*start), *start);
    }
    if (const auto& end = task.task->end_date) {
      last_end = std::max(last_end.value_or(*end), *end);
    } else {
      all_end = false;
    }
  }
  if (all_end) restriction_.latest = last_end;
}

std::vector<bool> Plan::subset(const std::vector<int>& tasks, bool upstream,
                               bool downstream) const {
  std::vector<bool> taken(tasks_.size());
  for (int index : tasks) taken[index] = true;
  std::vector<bool> wanted = taken;
  auto take_teardowns = [&](int setup, int except) {
    for (int other : tasks_[setup].downstream) {
      if (tasks_[other].task->is_teardown && other != except) taken[other] = true;
    }
  };
  auto take_setups = [&](int index) {
    const dags::Task& task = *tasks_[index].task;
    if (task.is_setup || task.is_teardown) return;
    for (int other : setups_of(index, true)) taken[other] = true;
  };
  for (int index : tasks) {
    const PlanTask& task = tasks_[index];
    for (int other = 0; other < size(); ++other) {
      if (downstream && task.all_downstream[other]) {
        taken[other] = true;
        if (!wanted[other]) take_setups(other);
      }
      if (upstream && task.all_upstream[other]) {
        taken[other] = true;
        if (tasks_[other].task->is_setup) take_teardowns(other, index);
      }
    }
    if (!upstream) take_setups(index);
    if (task.task->is_setup && !downstream) take_teardowns(index, -1);
  }
  return taken;
}

}  // namespace tailrace::sched
