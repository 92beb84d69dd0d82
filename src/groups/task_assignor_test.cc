// The task assignor against what it promises, for many random groups, and for small ones by hand.
#include "groups/task_assignor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tailrace::groups {
namespace {

std::size_t count(const Tasks& tasks) {
  std::size_t sum = 0;
  for (const auto& [id, partitions] : tasks) sum += partitions.size();
  return sum;
}

TEST(TaskAssignor, spreads_tasks_of_each_subtopology_over_members) {
  const TaskAssignment task{
      {{"a", "p", {}}, {"b", "q", {}}}, {{"0", {4, false}}, {"1", {2, true}}}, 0};
  const auto plan = assign_tasks(task);
  EXPECT_EQ(plan[0].active, (Tasks{{"0", {0, 2}}, {"1", {0}}}));
  EXPECT_EQ(plan[1].active, (Tasks{{"0", {1, 3}}, {"1", {1}}}));
  EXPECT_TRUE(plan[0].standby.empty() && plan[1].standby.empty());
}

TEST(TaskAssignor, leaves_tasks_where_they_were_when_a_member_joins) {
  TaskAssignment task{
      {{"a", "p", {{{"0", {0, 1, 2, 3}}}, {}, {}}}, {"b", "q", {}}}, {{"0", {4, true}}}, 0};
  const auto plan = assign_tasks(task);
  EXPECT_EQ(plan[0].active, (Tasks{{"0", {0, 1}}}));
  EXPECT_EQ(plan[1].active, (Tasks{{"0", {2, 3}}}));
}

TEST(TaskAssignor, a_standby_takes_over_when_the_active_is_gone) {
  const TaskAssignment task{
      {{"b", "q", {{{"0", {1}}}, {{"0", {0}}}, {}}}, {"c", "r", {{{"0", {2}}}, {{"0", {3}}}, {}}}},
      {{"0", {4, true}}},
      1};
  const auto plan = assign_tasks(task);
  EXPECT_EQ(plan[0].active, (Tasks{{"0", {0, 1}}}));
  EXPECT_EQ(plan[1].active, (Tasks{{"0", {2, 3}}}));
  EXPECT_EQ(plan[0].standby, (Tasks{{"0", {2, 3}}}));
  EXPECT_EQ(plan[1].standby, (Tasks{{"0", {0, 1}}}));
}

TEST(TaskAssignor, one_process_keeps_no_standbys) {
  const TaskAssignment task{{{"a", "p", {}}, {"b", "p", {}}}, {{"0", {3, true}}}, 2};
  const auto plan = assign_tasks(task);
  EXPECT_EQ(count(plan[0].active) + count(plan[1].active), 3u);
  EXPECT_EQ(count(plan[0].standby) + count(plan[1].standby), 0u);
}

class RandomGroup {
 public:
  explicit RandomGroup(std::uint64_t seed) : random_(seed) {
    task_.standbys = below(3);
    for (int i = 0; i < 1 + below(3); ++i)
      task_.subtopologies[std::to_string(i)] = {1 + below(9), below(2) == 0};
    for (int i = 0; i < 1 + below(6); ++i) join();
  }

  void run() {
    for (int round = 0; round < 8; ++round) {
      const auto plan = assign_tasks(task_);
      check(plan);
      for (std::size_t i = 0; i < plan.size(); ++i) task_.members[i].had = plan[i];
      EXPECT_TRUE(assign_tasks(task_) == assign_tasks(task_));
      if (below(2) == 0) join();
      if (task_.members.size() > 1 && below(2) == 0)
        task_.members.erase(task_.members.begin() + below(static_cast<int>(task_.members.size())));
    }
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  void join() {
    task_.members.push_back({"m" + std::to_string(++names_), "p" + std::to_string(below(4)), {}});
    std::ranges::sort(task_.members, {}, &TaskMember::id);
  }

  void check(const std::vector<TaskSet>& plan) const {
    ASSERT_EQ(plan.size(), task_.members.size());
    std::set<std::string> processes;
    for (const auto& member : task_.members) processes.insert(member.process);
    for (const auto& [id, part] : task_.subtopologies)
      for (std::int32_t i = 0; i < part.tasks; ++i) check(plan, id, i, processes.size());
    std::size_t least = SIZE_MAX, most = 0;
    for (const auto& one : plan) {
      EXPECT_TRUE(one.warmup.empty());
      least = std::min(least, count(one.active));
      most = std::max(most, count(one.active));
    }
    if (processes.size() == task_.members.size()) {
      EXPECT_LE(most - least, 1u);
    }
  }

  /// One active; as many standbys as wanted and possible; no process has the task twice.
  void check(const std::vector<TaskSet>& plan, const std::string& id, std::int32_t partition,
             std::size_t processes) const {
    int active = 0, standby = 0;
    std::multiset<std::string> where;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      const auto has = [&](const Tasks& tasks) {
        const auto found = tasks.find(id);
        return found != tasks.end() && found->second.contains(partition);
      };
      active += has(plan[i].active) ? 1 : 0;
      standby += has(plan[i].standby) ? 1 : 0;
      if (has(plan[i].active) || has(plan[i].standby)) where.insert(task_.members[i].process);
    }
    EXPECT_EQ(active, 1);
    const auto wanted = task_.subtopologies.at(id).stateful ? task_.standbys : 0;
    EXPECT_EQ(standby, std::min(wanted, static_cast<int>(processes) - 1));
    for (const auto& process : where) EXPECT_EQ(where.count(process), 1u);
  }

  std::mt19937_64 random_;
  int names_ = 10;
  TaskAssignment task_;
};

TEST(TaskAssignor, every_task_is_with_one_member_and_its_standbys_in_other_processes) {
  for (std::uint64_t seed = 1; seed <= 300 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomGroup(seed).run();
  }
}

}  // namespace
}  // namespace tailrace::groups
