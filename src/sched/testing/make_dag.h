// DAGs for tests, in a line or two.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dags/dag.h"

namespace tailrace::sched::testing {

constexpr calendar::Micros kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute,
                           kDay = 24 * kHour;
/// 2026-01-01T00:00:00Z.
constexpr calendar::Micros kNewYear = 1'767'225'600 * kSecond;

using TaskTweak = std::function<void(dags::Task&)>;
using DagTweak = std::function<void(dags::Dag&)>;

inline dags::Task task(std::string id, std::vector<std::string> upstream = {},
                       const TaskTweak& tweak = nullptr) {
  dags::Task made;
  made.id = std::move(id);
  made.operator_path = "airflow.providers.standard.operators.bash.BashOperator";
  made.upstream = std::move(upstream);
  made.retry_delay = 10 * kSecond;
  if (tweak) tweak(made);
  return made;
}

/// Fills in what the reader would: tasks downstream, their order.
inline void complete(dags::Dag& dag) {
  for (dags::Task& one : dag.tasks) {
    for (dags::Task& other : dag.tasks) {
      if (std::ranges::find(other.upstream, one.id) == other.upstream.end()) continue;
      if (std::ranges::find(one.downstream, other.id) == one.downstream.end()) {
        one.downstream.push_back(other.id);
      }
    }
  }
  dag.topological_order.clear();
  std::vector<bool> done(dag.tasks.size());
  while (dag.topological_order.size() < dag.tasks.size()) {
    for (std::size_t i = 0; i < dag.tasks.size(); ++i) {
      bool ready = !done[i] && std::ranges::all_of(dag.tasks[i].upstream, [&](const auto& id) {
        for (std::size_t j = 0; j < dag.tasks.size(); ++j) {
          if (dag.tasks[j].id == id) return bool(done[j]);
        }
        return true;
      });
      if (!ready) continue;
      done[i] = true;
      dag.topological_order.push_back(static_cast<int>(i));
    }
  }
}

inline std::shared_ptr<const dags::Dag> make_dag(std::string id, std::vector<dags::Task> tasks,
                                                 const DagTweak& tweak = nullptr) {
  auto dag = std::make_shared<dags::Dag>();
  dag->id = std::move(id);
  dag->tasks = std::move(tasks);
  dag->version = "1";
  if (tweak) tweak(*dag);
  complete(*dag);
  return dag;
}

/// `schedule: timedelta(…)` with data intervals, from New Year on.
inline DagTweak every(calendar::Micros delta, bool catchup = true) {
  return [=](dags::Dag& dag) {
    dag.timetable = calendar::Timetable(calendar::DeltaInterval{.delta = {.micros = delta}});
    dag.start_date = kNewYear;
    dag.catchup = catchup;
  };
}

inline dags::AssetCondition asset(std::string uri) {
  dags::AssetCondition made;
  made.asset.uri = std::move(uri);
  return made;
}

}  // namespace tailrace::sched::testing
