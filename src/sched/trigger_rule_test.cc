// Every trigger rule, every combination of up to three states upstream, against what Airflow's
// TriggerRuleDep says (testdata/trigger_rules.txt, recorded by tests/real/airflow_lab.py rules).
#include "sched/trigger_rule.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace tailrace::sched {
namespace {

/// The letters of the recording: r may run, w waits; s, f, x: skipped, upstream_failed, removed.
char letter(const Verdict& verdict) {
  if (!verdict.becomes) return verdict.met ? 'r' : 'w';
  switch (*verdict.becomes) {
    case TaskState::kSkipped:
      return 's';
    case TaskState::kUpstreamFailed:
      return 'f';
    case TaskState::kRemoved:
      return 'x';
    default:
      return '?';
  }
}

constexpr TaskState kUpstreamStates[] = {
    TaskState::kNone,    TaskState::kRunning,        TaskState::kSuccess, TaskState::kFailed,
    TaskState::kSkipped, TaskState::kUpstreamFailed, TaskState::kRemoved};
constexpr int kStates = 7;

/// One line for a rule, a number of tasks upstream, how many of them are setups, and a map index.
std::string ours(dags::TriggerRule rule, int tasks, int setups, int map_index) {
  std::string line;
  int combinations = 1;
  for (int i = 0; i < tasks; ++i) combinations *= kStates;
  for (int combination = 0; combination < combinations; ++combination) {
    UpstreamCounts counts;
    counts.total = tasks;
    counts.total_setups = setups;
    int rest = combination;
    for (int i = 0; i < tasks; ++i, rest /= kStates) {
      counts.add(kUpstreamStates[rest % kStates], i < setups);
    }
    line += letter(judge(rule, counts, map_index));
  }
  return line;
}

TEST(TriggerRule, every_rule_decides_on_up_to_three_upstream_states_as_airflow_does) {
  std::ifstream file("src/sched/testdata/trigger_rules.txt");
  ASSERT_TRUE(file) << "run in the project's folder";
  int lines = 0, decisions = 0;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string rule, expected;
    int tasks = 0, setups = 0, map_index = 0;
    words >> rule >> tasks >> setups >> map_index >> expected;
    bool known = false;
    for (int i = 0; i <= static_cast<int>(dags::TriggerRule::kAlways); ++i) {
      auto candidate = static_cast<dags::TriggerRule>(i);
      if (name(candidate) != rule) continue;
      known = true;
      EXPECT_EQ(ours(candidate, tasks, setups, map_index), expected)
          << rule << " of " << tasks << ", " << setups << " setups, map index " << map_index;
    }
    EXPECT_TRUE(known) << rule;
    ++lines;
    decisions += static_cast<int>(expected.size());
  }
  EXPECT_EQ(lines, 13 * 9 * 2);
  EXPECT_EQ(decisions, 13 * 2 * (2 * 7 + 3 * 49 + 4 * 343));
}

}  // namespace
}  // namespace tailrace::sched
