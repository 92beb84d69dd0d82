// A recording of Airflow's scheduler, played to ours: the same DAG, the same outcomes; the tasks
// must start in the same order, with the same tries, and all must end in the same states.
//
// The recordings are made by tests/real/airflow_lab.py, which says what they are.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sched/plan.h"
#include "sched/testing/driver.h"
#include "sched/testing/make_dag.h"

namespace tailrace::sched::testing {

inline const jinja::Value& at(const jinja::Value& value, std::string_view key) {
  static const jinja::Value none;
  const jinja::Dict* dict = value.dict();
  const jinja::Value* found = dict == nullptr ? nullptr : dict->find(key);
  return found == nullptr ? none : *found;
}
inline std::string text(const jinja::Value& value, std::string_view key) {
  const std::string* found = at(value, key).string();
  return found == nullptr ? "" : *found;
}
inline std::int64_t integer(const jinja::Value& value, std::string_view key,
                            std::int64_t otherwise = 0) {
  const std::int64_t* found = at(value, key).integer();
  return found == nullptr ? otherwise : *found;
}
inline bool boolean(const jinja::Value& value, std::string_view key) {
  return at(value, key).truth();
}
inline std::vector<std::string> texts(const jinja::Value& list) {
  std::vector<std::string> found;
  if (list.list() == nullptr) return found;
  for (const jinja::Value& one : *list.list()) found.push_back(*one.string());
  return found;
}
/// Seconds, as Python's timestamp().
inline Micros micros(const jinja::Value& seconds) {
  if (const std::int64_t* whole = seconds.integer()) return *whole * kSecond;
  return static_cast<Micros>(std::llround(*seconds.real() * 1e6));
}

class Replay {
 public:
  Replay(Driver::Dags dags, Micros now)
      : driver_({.parallelism = 64, .paused_at_creation = true}, dags, now) {
    for (const auto& dag : dags) {
      plans_.emplace(dag->id, dag);
      EXPECT_TRUE(driver_.handle(Pause{.dag = dag->id, .paused = true}));
    }
  }

  /// Steps until one is not as Airflow's; then the test has failed.
  void play(const jinja::Value& trace) {
    bool paused = true;
    for (const jinja::Value& step : *trace.list()) {
      ++steps_;
      // The recorder triggers, and only then lets the scheduler look.
      if (at(step, "trigger").is_none() && std::exchange(paused, false)) unpause();
      if (!at(step, "trigger").is_none()) {
        std::string dag = text(step, "trigger");
        ASSERT_TRUE(driver_.handle(Trigger{.dag = dag,
                                           .run_id = "manual__" + dag,
                                           .logical_date = {},
                                           .run_after = {},
                                           .conf = {},
                                           .by = "test",
                                           .note = {}}));
        if (std::exchange(paused, false)) unpause();
      } else if (!at(step, "now").is_none()) {
        driver_.advance_to(micros(at(step, "now")));
      } else if (!at(step, "task").is_none()) {
        ASSERT_NO_FATAL_FAILURE(do_task(step)) << "at step " << steps_;
      }
    }
    if (paused) unpause();
  }

  /// The runs and their tasks are as recorded, and nothing more is to start.
  void compare(const std::vector<jinja::Value>& runs) {
    for (const Start& start : driver_.waiting) {
      ADD_FAILURE() << start.task.run.dag << "." << start.task.task << " is to start";
    }
    std::map<std::string, std::vector<const jinja::Value*>> recorded;
    for (const jinja::Value& run : runs) recorded[text(run, "dag")].push_back(&run);
    for (const auto& [dag, of] : recorded) {
      std::vector<std::string> ids = driver_.run_ids(dag);
      EXPECT_EQ(ids.size(), of.size()) << "runs of " << dag;
      for (std::size_t i = 0; i < std::min(ids.size(), of.size()); ++i) {
        compare_run({dag, ids[i]}, *of[i]);
      }
    }
  }

  void expect_run(const std::string& dag, const std::string& run, std::size_t place) {
    places_[{dag, run}] = place;
  }

  int steps() const { return steps_; }

 private:
  RunId ours(const std::string& dag, const std::string& run) {
    std::vector<std::string> ids = driver_.run_ids(dag);
    auto place = places_.find({dag, run});
    if (place == places_.end() || place->second >= ids.size()) return {dag, run};
    return {dag, ids[place->second]};
  }

  void unpause() {
    for (const auto& [dag, plan] : plans_) {
      ASSERT_TRUE(driver_.handle(Pause{.dag = dag, .paused = false}));
    }
  }

  /// What Airflow sorts queued tasks by; the order of equals is its database's, and so is that of
  /// runs without a date among those with one.
  bool are_equals(const Start& a, const Start& b) const {
    auto weight = [&](const Start& start) {
      const Plan& plan = plans_.at(start.task.run.dag);
      return plan[plan.find(start.task.task)].weight;
    };
    auto date = [&](const Start& start) {
      return driver_.kept().runs.at(start.task.run).logical_date;
    };
    auto dated = date(a) && date(b);
    return weight(a) == weight(b) && a.task.map_index == b.task.map_index &&
           (!dated || date(a) == date(b));
  }

  /// Puts the task first if all that wait before it are its equals.
  void take_among_equals(const TaskId& id) {
    auto found = std::ranges::find(driver_.waiting, id, &Start::task);
    if (found == driver_.waiting.end()) return;
    bool equals = std::all_of(driver_.waiting.begin(), found,
                              [&](const Start& other) { return are_equals(other, *found); });
    if (equals) std::rotate(driver_.waiting.begin(), found, found + 1);
  }

  void do_task(const jinja::Value& step) {
    const jinja::List& words = *at(step, "task").list();
    TaskId id{ours(*words[0].string(), *words[1].string()), *words[2].string(),
              static_cast<int>(*words[3].integer())};
    ASSERT_FALSE(driver_.waiting.empty()) << "nothing starts; Airflow starts " << id.task;
    take_among_equals(id);
    Start start = driver_.waiting.front();
    ASSERT_EQ(start.task.task, id.task)
        << "[" << start.task.map_index << "] of run " << start.task.run.run
        << " starts; Airflow starts [" << id.map_index << "] of run " << id.run.run;
    ASSERT_EQ(start.task.map_index, id.map_index) << id.task;
    ASSERT_EQ(start.task.run.run, id.run.run) << id.task;
    ASSERT_EQ(start.try_number, integer(step, "try")) << id.task;
    driver_.begin();
    std::erase_if(driver_.running, [&](const Start& other) { return other.task == id; });
    ASSERT_TRUE(driver_.handle(outcome(step, start)));
    if (text(step, "state") == "deferred") {
      if (!at(step, "resumed_at").is_none()) driver_.advance_to(micros(at(step, "resumed_at")));
      ASSERT_TRUE(driver_.handle(Resume{start.task, start.try_number}));
    }
    if (text(step, "state") == "up_for_retry") {
      auto due = driver_.kept().tasks.at(start.task).next_at;
      ASSERT_TRUE(due);
      EXPECT_NEAR(static_cast<double>(*due), static_cast<double>(micros(at(step, "at"))), 2)
          << "the next try of " << id.task;
    }
  }

  static Finished outcome(const jinja::Value& step, const Start& start) {
    Finished event;
    event.task = start.task;
    event.try_number = start.try_number;
    std::string state = text(step, "state");
    event.how = state == "success"             ? Finished::How::kSuccess
                : state == "skipped"           ? Finished::How::kSkipped
                : state == "up_for_reschedule" ? Finished::How::kReschedule
                : state == "deferred"          ? Finished::How::kDefer
                : boolean(step, "tries_left")  ? Finished::How::kFailedForGood
                                               : Finished::How::kFailed;
    if (state == "up_for_reschedule") event.at = micros(at(step, "at"));
    if (!at(step, "skip").is_none()) event.skip = texts(at(step, "skip"));
    event.returned = boolean(step, "returned");
    if (!at(step, "mapped_length").is_none()) event.mapped_length = integer(step, "mapped_length");
    for (const std::string& alias : texts(at(step, "aliases"))) {
      for (const std::string& uri : texts(at(step, "events"))) {
        event.aliased.push_back({.alias = alias, .uri = uri, .extra = {}});
      }
    }
    return event;
  }

  void compare_run(const RunId& id, const jinja::Value& recorded) {
    std::string what = id.dag + " " + id.run;
    EXPECT_EQ(driver_.state(id.dag, id.run), text(recorded, "state")) << what;
    const Run& run = driver_.kept().runs.at(id);
    EXPECT_EQ(name(run.type), text(recorded, "type")) << what;
    const jinja::Value& date = at(recorded, "logical_date");
    EXPECT_EQ(run.logical_date.has_value(), !date.is_none()) << what;
    if (run.logical_date && !date.is_none()) {
      EXPECT_EQ(*run.logical_date, micros(date)) << what;
    }
    if (text(recorded, "type") == "scheduled") {
      EXPECT_EQ(id.run, text(recorded, "run"));
    }
    std::map<std::string, std::string> ours, airflows;
    for (const auto& [task, row] : driver_.kept().tasks) {
      if (task.run != id) continue;
      ours[task.task + " " + std::to_string(task.map_index)] =
          std::string(name(row.state)) + " " + std::to_string(row.try_number);
    }
    for (const jinja::Value& row : *at(recorded, "tasks").list()) {
      const jinja::List& words = *row.list();
      airflows[*words[0].string() + " " + std::to_string(*words[1].integer())] =
          *words[2].string() + " " + std::to_string(*words[3].integer());
    }
    EXPECT_EQ(ours, airflows) << what;
  }

  Driver driver_;
  std::map<std::string, Plan> plans_;
  std::map<std::pair<std::string, std::string>, std::size_t> places_;
  int steps_ = 0;
};

/// Plays one recording to the DAGs; runs are named by their place among their DAG's.
inline void replay(Driver::Dags dags, const jinja::Value& recording,
                   const std::vector<jinja::Value>& runs) {
  Replay replay(std::move(dags), micros(at(recording, "now")));
  std::map<std::string, std::size_t> places;
  for (const jinja::Value& run : runs) {
    replay.expect_run(text(run, "dag"), text(run, "run"), places[text(run, "dag")]++);
  }
  replay.play(at(recording, "trace"));
  if (!::testing::Test::HasFatalFailure()) replay.compare(runs);
}

}  // namespace tailrace::sched::testing
