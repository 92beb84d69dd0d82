// Random DAGs live random lives: limits hold, nothing is lost or done twice, all comes to an end;
// and a life with a crash after every answer is the same life.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "sched/testing/driver.h"
#include "sched/testing/make_dag.h"

namespace tailrace::sched {
namespace {

using testing::Driver;
using testing::every;
using testing::Kept;
using testing::kHour;
using testing::kMinute;
using testing::kNewYear;
using testing::kSecond;
using testing::make_dag;
using testing::task;

using How = Finished::How;
using Dice = std::mt19937_64;

int roll(Dice& dice, int sides) {
  return static_cast<int>(dice() % static_cast<std::uint64_t>(sides));
}

std::shared_ptr<const dags::Dag> random_dag(Dice& dice, const std::string& id, int kind) {
  std::vector<dags::Task> tasks;
  int count = 1 + roll(dice, 7);
  for (int i = 0; i < count; ++i) {
    std::vector<std::string> upstream;
    for (int j = 0; j < i; ++j) {
      if (roll(dice, 3) == 0) upstream.push_back(fmt::format("t{}", j));
    }
    tasks.push_back(task(fmt::format("t{}", i), upstream, [&](dags::Task& made) {
      if (roll(dice, 3) == 0) made.trigger_rule = static_cast<dags::TriggerRule>(roll(dice, 13));
      made.retries = roll(dice, 3);
      made.priority_weight = roll(dice, 5);
      made.pool = roll(dice, 2) == 0 ? "small" : "default_pool";
      made.pool_slots = 1 + roll(dice, 2);
      if (roll(dice, 6) == 0) made.max_active_tis_per_dag = 1 + roll(dice, 2);
      if (roll(dice, 8) == 0) made.depends_on_past = true;
      if (roll(dice, 5) == 0) made.operator_path = "airflow.operators.empty.EmptyOperator";
      if (roll(dice, 5) == 0) {
        made.expansion.emplace();
        made.expansion->arguments.emplace_back(
            "x", jinja::List(static_cast<std::size_t>(roll(dice, 4))));
      }
    }));
  }
  return make_dag(id, std::move(tasks), [&](dags::Dag& dag) {
    if (kind == 0) every(kHour)(dag);
    if (kind == 1) {
      dag.assets = testing::asset("x");
      dag.catchup = true;
    }
    dag.max_active_runs = 1 + roll(dice, 3);
    dag.max_active_tasks = 1 + roll(dice, 4);
    if (roll(dice, 6) == 0) dag.dagrun_timeout = 5 * kHour;
  });
}

/// All rows, as a text to compare.
std::string rows(const Kept& kept) {
  auto time = [](const std::optional<Micros>& at) { return at ? fmt::format("{}", *at) : "-"; };
  std::string all;
  for (const auto& [id, row] : kept.dags) {
    all += fmt::format("{} paused={} next={} pending={}\n", id, row.paused,
                       row.next ? row.next->run_after : 0, row.pending_asset_events.size());
  }
  for (const auto& [id, row] : kept.runs) {
    all += fmt::format("{} {} #{} {} {} {} {} events={}\n", id.dag, id.run, row.number,
                       name(row.state), row.clears, time(row.started_at), time(row.ended_at),
                       row.asset_events.size());
  }
  for (const auto& [id, row] : kept.tasks) {
    all += fmt::format("{} {} {} {} {} try={}/{} {} {} {}\n", id.run.dag, id.run.run, id.task,
                       id.map_index, name(row.state), row.try_number, row.max_tries,
                       time(row.queued_at), time(row.started_at), time(row.next_at));
  }
  return all;
}

/// One life, from a seed; `crashes` after every answer.
class Life {
 public:
  Life(std::uint64_t seed, bool crashes) : dice_(seed), crashes_(crashes) {
    for (int kind = 0; kind < 3; ++kind) {
      dags_.push_back(random_dag(dice_, fmt::format("d{}", kind), kind));
    }
    settings_ = {.parallelism = 1 + roll(dice_, 5), .finished_runs_kept = roll(dice_, 3)};
    driver_ = std::make_unique<Driver>(settings_, dags_, kNewYear);
    EXPECT_TRUE(driver_->handle(SetPool{{.name = "small", .slots = 2}}));
  }

  void live(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      act();
      check();
      if (crashes_) crash();
    }
  }

  /// Whatever is under way ends: every try from now on succeeds.
  void end() {
    for (const char* dag : {"d0", "d1", "d2"}) ASSERT_TRUE(driver_->handle(Pause{dag, false}));
    for (int round = 0; round < 60; ++round) {
      while (pick(how_many())) {
        finish(How::kSuccess);
        if (::testing::Test::HasFailure()) return;
      }
      check();
      if (round < 59) driver_->advance_to(driver_->now() + kMinute);
    }
  }

  void check_the_end() {
    for (const auto& [id, run] : driver_->kept().runs) {
      bool finished = run.state == RunState::kSuccess || run.state == RunState::kFailed;
      const dags::Dag& dag = *dags_[static_cast<std::size_t>(id.dag[1] - '0')];
      bool past = std::ranges::any_of(dag.tasks, &dags::Task::depends_on_past);
      if (!past) {
        EXPECT_TRUE(finished) << id.dag << " " << id.run << " is " << name(run.state);
      }
    }
    check_hours();
    check_events();
  }

  std::string all_rows() const { return rows(driver_->kept()); }
  const std::string& did() const { return did_; }
  int begun() const { return static_cast<int>(driver_->begun.size()); }

 private:
  /// What may be acted on, in an order that a crash does not change.
  std::vector<Start> candidates() const {
    std::vector<Start> all(driver_->waiting.begin(), driver_->waiting.end());
    all.insert(all.end(), driver_->running.begin(), driver_->running.end());
    std::ranges::sort(all, {}, &Start::task);
    return all;
  }
  int how_many() const { return static_cast<int>(candidates().size()); }
  bool pick(int many) {
    if (many == 0) return false;
    picked_ = candidates()[static_cast<std::size_t>(roll(dice_, many))];
    return true;
  }

  /// Begins the picked task if it waits, else ends it.
  void finish(How how) {
    auto same = [&](const Start& start) { return start.task == picked_.task; };
    auto waits = std::ranges::find_if(driver_->waiting, same);
    if (waits != driver_->waiting.end()) {
      std::iter_swap(waits, driver_->waiting.begin());
      driver_->begin();
      const TaskInstance& row = driver_->kept().tasks.at(picked_.task);
      auto key = std::pair(picked_.task, picked_.try_number);
      bool again = rescheduled_.contains(key);
      EXPECT_TRUE(tries_.insert(key).second || again)
          << picked_.task.task << " began try " << picked_.try_number << " twice";
      EXPECT_EQ(row.try_number, picked_.try_number);
      return;
    }
    if (how == How::kReschedule || how == How::kDefer) {
      rescheduled_.insert({picked_.task, picked_.try_number});
    }
    std::erase_if(driver_->running, same);
    Finished event;
    event.task = picked_.task;
    event.try_number = picked_.try_number;
    event.how = how;
    if (how == How::kReschedule || how == How::kDefer) event.at = driver_->now() + kMinute;
    if (how == How::kSuccess && roll(dice_, 8) == 0) event.skip_all_downstream = true;
    ASSERT_TRUE(driver_->handle(event));
  }

  void act() {
    int what = roll(dice_, 100);
    did_ = fmt::format("act {}", what);
    if (what < 70) {
      if (pick(how_many())) {
        int how = roll(dice_, 12);
        finish(how < 6     ? How::kSuccess
               : how < 8   ? How::kFailed
               : how == 8  ? How::kFailedForGood
               : how == 9  ? How::kSkipped
               : how == 10 ? How::kReschedule
                           : How::kDefer);
      }
    } else if (what < 80) {
      driver_->advance_to(driver_->now() + roll(dice_, 90) * kMinute);
    } else if (what < 86) {
      ++events_;
      ASSERT_TRUE(driver_->handle(AssetHappened{.uri = "x", .extra = {}, .aliases = {}}));
    } else if (what < 90) {
      Trigger event;
      event.dag = fmt::format("d{}", roll(dice_, 3));
      ASSERT_TRUE(driver_->handle(event));
    } else if (what < 93) {
      ASSERT_TRUE(driver_->handle(
          Pause{.dag = fmt::format("d{}", roll(dice_, 3)), .paused = roll(dice_, 2) == 0}));
    } else {
      edit();
    }
  }

  void edit() {
    if (driver_->kept().runs.empty()) return;
    auto run = driver_->kept().runs.begin();
    std::advance(run, roll(dice_, static_cast<int>(driver_->kept().runs.size())));
    RunId id = run->first;
    Event event;
    int kind = roll(dice_, 3);
    did_ = fmt::format("edit {} of {} {}", kind, id.dag, id.run);
    switch (kind) {
      case 0:
        event = Clear{.run = id, .tasks = {}, .only_failed = roll(dice_, 2) == 0};
        break;
      case 1:
        event = SetTask{.task = {id, "t0", -1},
                        .state = roll(dice_, 2) == 0 ? TaskState::kSuccess : TaskState::kFailed};
        break;
      default:
        event = SetRun{id, roll(dice_, 2) == 0 ? RunState::kFailed : RunState::kSuccess};
    }
    Status done = driver_->handle(event);
    EXPECT_TRUE(done || done.error().code == Code::kNotFound) << done.error().what;
  }

  void crash() {
    std::string before = all_rows();
    auto started = candidates();
    driver_->crash(false);
    EXPECT_EQ(all_rows(), before) << "a restart changes something";
    auto again = candidates();
    EXPECT_TRUE(std::ranges::equal(started, again, {}, &Start::task, &Start::task))
        << "a restart starts something else";
  }

  /// No limit is passed.
  void check() {
    std::map<std::string, int> pools, runs, of_dag;
    std::map<std::pair<std::string, std::string>, int> of_task;
    int active = 0;
    for (const auto& [id, row] : driver_->kept().tasks) {
      bool is_active = row.state == TaskState::kQueued || row.state == TaskState::kRunning;
      if (!is_active) continue;
      const dags::Dag& dag = *dags_[static_cast<std::size_t>(id.run.dag[1] - '0')];
      const dags::Task& what = dag.tasks[static_cast<std::size_t>(id.task[1] - '0')];
      ++active;
      pools[what.pool] += what.pool_slots;
      ++runs[id.run.dag + id.run.run];
      EXPECT_LE(runs[id.run.dag + id.run.run], dag.max_active_tasks);
      int same = ++of_task[{id.run.dag, id.task}];
      if (what.max_active_tis_per_dag) {
        EXPECT_LE(same, *what.max_active_tis_per_dag);
      }
    }
    EXPECT_LE(active, settings_.parallelism);
    EXPECT_LE(pools["small"], 2);
    EXPECT_LE(pools["default_pool"], 128);
    for (const auto& [id, run] : driver_->kept().runs) {
      if (run.state == RunState::kRunning) ++of_dag[id.dag];
    }
    for (const auto& [id, running] : of_dag) {
      EXPECT_LE(running, dags_[static_cast<std::size_t>(id[1] - '0')]->max_active_runs);
    }
    EXPECT_EQ(static_cast<int>(candidates().size()), active) << "rows and processes differ";
  }

  /// Every hour up to the last has exactly one run.
  void check_hours() {
    std::set<Micros> hours;
    for (const auto& [id, run] : driver_->kept().runs) {
      if (run.type != RunType::kScheduled) continue;
      EXPECT_TRUE(hours.insert(*run.logical_date).second) << id.run;
    }
    Micros expected = kNewYear;
    for (Micros hour : hours) {
      EXPECT_EQ(hour, expected);
      expected += kHour;
    }
  }

  /// Every event has exactly one run.
  void check_events() {
    std::map<std::int64_t, int> consumed;
    for (const auto& [id, run] : driver_->kept().runs) {
      for (std::int64_t event : run.asset_events) ++consumed[event];
    }
    EXPECT_EQ(static_cast<int>(consumed.size()), events_);
    for (const auto& [event, times] : consumed) EXPECT_EQ(times, 1) << event;
  }

  Dice dice_;
  bool crashes_;
  Driver::Dags dags_;
  Settings settings_;
  std::unique_ptr<Driver> driver_;
  Start picked_{};
  std::set<std::pair<TaskId, int>> tries_, rescheduled_;
  int events_ = 0;
  std::string did_;  ///< the last act
};

TEST(Lives, keep_limits_and_lose_nothing_and_come_to_an_end) {
  int begun = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Life life(seed, false);
    life.live(200);
    if (HasFailure()) return;
    life.end();
    life.check_the_end();
    begun += life.begun();
    if (HasFailure()) return;
  }
  EXPECT_GT(begun, 10'000);
}

TEST(Lives, are_the_same_with_a_crash_after_every_answer) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Life whole(seed, false), crashed(seed, true);
    for (int step = 0; step < 150 && !HasFailure(); ++step) {
      whole.live(1);
      crashed.live(1);
      EXPECT_EQ(whole.all_rows(), crashed.all_rows())
          << "after step " << step << ": " << whole.did();
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tailrace::sched
