// A DAG made ready for scheduling: tasks by number, their relatives both ways, weights, and what
// their setups, teardowns and mapped groups ask for. Immutable; runs of one version share it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dags/dag.h"

namespace tailrace::sched {

/// One task; relatives are indexes into Plan::tasks.
struct PlanTask {
  const dags::Task* task = nullptr;
  std::vector<int> upstream{}, downstream{};           ///< direct, ascending
  std::vector<bool> all_upstream{}, all_downstream{};  ///< direct and indirect
  /// Airflow's priority_weight_total: the own weight, and by the rule that of all downstream or
  /// upstream.
  std::int64_t weight = 1;
  /// An EmptyOperator that nothing listens to succeeds without a process.
  bool trivial = false;
  bool decides_run = false;  ///< a leaf whose state is the run's (DagRun._tis_for_dagrun_state)
  std::vector<int> mapped_groups{};  ///< indexes into Dag::groups, innermost first
  /// Tasks whose return value the expansion waits for: its own, else its closest mapped group's.
  std::vector<int> expansion_sources{};
  std::vector<int> any_expansion_sources{};  ///< its own and those of all its mapped groups
  bool upstream_expands = false;             ///< some direct upstream task has many instances
  bool has_setups = false;             ///< setups whose teardown comes after it, or without one
  std::vector<int> indirect_setups{};  ///< those of them that are not direct upstream
  std::vector<int> teardown_scope{};   ///< of a teardown: the tasks between it and its setups

  bool expands() const { return task->expansion.has_value() || !mapped_groups.empty(); }
};

class Plan {
 public:
  explicit Plan(std::shared_ptr<const dags::Dag> dag);

  const dags::Dag& dag() const { return *dag_; }
  const std::shared_ptr<const dags::Dag>& shared_dag() const { return dag_; }
  const std::vector<PlanTask>& tasks() const { return tasks_; }
  const PlanTask& operator[](int index) const { return tasks_[static_cast<std::size_t>(index)]; }
  int size() const { return static_cast<int>(tasks_.size()); }
  /// -1 where it has none of that id.
  int find(std::string_view task_id) const;
  bool depends_on_past() const { return depends_on_past_; }
  /// Airflow's _time_restriction: the DAG's dates widened by its tasks'.
  const calendar::Restriction& restriction() const { return restriction_; }
  /// Tasks that come along when `tasks` are cleared (DAG.partial_subset): relatives as asked, and
  /// the setups and teardowns that belong to them.
  std::vector<bool> subset(const std::vector<int>& tasks, bool upstream, bool downstream) const;

 private:
  void link();
  void close_over();
  void weigh();
  void find_leaves();
  void find_groups();
  void find_setups();
  void restrict();
  /// Relevant upstream setups and their teardowns (get_upstreams_only_setups_and_teardowns).
  std::vector<int> setups_of(int index, bool teardowns) const;

  std::shared_ptr<const dags::Dag> dag_;
  std::vector<PlanTask> tasks_;
  std::map<std::string, int, std::less<>> index_;
  calendar::Restriction restriction_;
  bool depends_on_past_ = false;
};

/// The tasks whose return value an expansion takes its length from.
std::vector<const dags::XComArg*> references(const dags::Expansion& expansion);

}  // namespace tailrace::sched
