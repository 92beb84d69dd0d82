// The edges of a DAG as dag-factory and Airflow draw them, one after the other: a group stands for
// its roots or leaves as they are at that moment.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "dags/dag.h"

namespace tailrace::dags {

/// Tasks and groups by number: tasks as in their DAG, groups as in theirs.
class Graph {
 public:
  struct Member {
    bool is_group = false;
    int number = 0;
  };

  /// The members of each group, root first, in the order in which they were added.
  Graph(const std::vector<Task>& tasks, const std::vector<Group>& groups,
        std::vector<std::vector<Member>> children);

  /// source.set_upstream(dependency).
  void set_upstream(Member source, Member dependency);

  /// Ids of a cycle's tasks, the first again at the end; empty when there is none.
  std::vector<std::string> cycle() const;
  /// dag.topological_sort(); only without a cycle.
  std::vector<int> order() const;
  const std::set<int>& upstream(int task) const { return up_[static_cast<std::size_t>(task)]; }
  const std::set<int>& downstream(int task) const { return down_[static_cast<std::size_t>(task)]; }

 private:
  std::vector<int> all(int group) const;  ///< tasks below, depth first
  std::vector<int> roots(int group) const;
  std::vector<int> leaves(int group) const;
  void before_teardown(int task, const std::set<int>& inside, std::vector<int>& out) const;
  void sort_group(int group, std::vector<int>& out) const;
  std::vector<Member> before(const Member& member) const;
  int parent_of(Member member) const;

  const std::vector<Task>& tasks_;
  std::vector<std::vector<Member>> children_;    ///< [0] the root, [g + 1] group g
  std::vector<int> task_parent_, group_parent_;  ///< group's number, -1 the root
  std::vector<std::set<int>> up_, down_;
  std::vector<std::set<int>> group_up_groups_, group_up_tasks_;
};

}  // namespace tailrace::dags
