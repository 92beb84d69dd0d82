// What the scheduler promises, as conversations under a clock that stands still.
#include "sched/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sched/assets.h"
#include "sched/backoff.h"
#include "sched/testing/driver.h"
#include "sched/testing/make_dag.h"

namespace tailrace::sched {
namespace {

using testing::complete;
using testing::Driver;
using ::testing::ElementsAre;
using testing::every;
using testing::kDay;
using testing::kHour;
using testing::kMinute;
using testing::kNewYear;
using testing::kSecond;
using testing::make_dag;
using testing::task;

using How = Finished::How;

std::vector<std::string> names(const std::vector<Start>& starts) {
  std::vector<std::string> found;
  for (const Start& start : starts) found.push_back(start.task.task);
  return found;
}

Trigger trigger(std::string dag, std::string run) {
  return {.dag = std::move(dag),
          .run_id = std::move(run),
          .logical_date = {},
          .run_after = {},
          .conf = {},
          .by = "test",
          .note = {}};
}

int count(const std::vector<Notice>& notices, Notice::Kind kind) {
  return static_cast<int>(std::ranges::count(notices, kind, &Notice::kind));
}

TEST(Scheduler, runs_a_chain_in_order_and_ends_with_success) {
  Driver driver({}, {make_dag("d", {task("a"), task("b", {"a"}), task("c", {"b"})})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  driver.run_all();
  EXPECT_THAT(names(driver.begun), ElementsAre("a", "b", "c"));
  EXPECT_EQ(driver.state("d", "r"), "success");
}

TEST(Scheduler, catches_up_one_run_for_each_interval_and_no_more) {
  Driver driver({}, {make_dag("d", {task("a")}, every(kHour))}, kNewYear + 5 * kHour);
  for (int i = 0; i < 20; ++i) {
    driver.run_all();
    driver.advance_to(driver.now() + kSecond);
  }
  EXPECT_EQ(driver.run_ids("d").size(), 5u);
  EXPECT_EQ(driver.run_ids("d").front(), "scheduled__2026-01-01T01:00:00+00:00");
  driver.advance_to(kNewYear + 7 * kHour);
  driver.run_all();
  EXPECT_EQ(driver.run_ids("d").size(), 7u);
}

TEST(Scheduler, without_catchup_only_the_latest_interval_is_run) {
  Driver driver({}, {make_dag("d", {task("a")}, every(kHour, false))},
                kNewYear + 5 * kHour + kMinute);
  driver.run_all();
  EXPECT_THAT(driver.run_ids("d"), ElementsAre("scheduled__2026-01-01T05:00:00+00:00"));
}

TEST(Scheduler, max_active_runs_holds_back_the_next_run) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) {
    every(kHour)(made);
    made.max_active_runs = 1;
  });
  Driver driver({}, {dag}, kNewYear + 3 * kHour);
  EXPECT_EQ(driver.run_ids("d").size(), 1u);
  EXPECT_EQ(driver.waiting.size(), 1u);
  ASSERT_TRUE(driver.finish(driver.begin(), How::kSuccess));
  EXPECT_EQ(driver.run_ids("d").size(), 2u);
}

TEST(Scheduler, a_catch_up_of_years_makes_a_few_runs_in_each_answer) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) {
    every(kHour)(made);
    made.max_active_runs = 1000;
  });
  Driver driver({.max_runs_made_at_once = 10}, {dag}, kNewYear + 100 * kHour);
  EXPECT_EQ(driver.run_ids("d").size(), 10u);
  EXPECT_LE(driver.scheduler().wake_at(), driver.now());
  driver.advance_to(driver.now());
  EXPECT_EQ(driver.run_ids("d").size(), 100u);
}

TEST(Scheduler, retries_after_the_delay_and_then_fails) {
  auto tweak = [](dags::Task& made) { made.retries = 1; };
  Driver driver({}, {make_dag("d", {task("a", {}, tweak), task("b", {"a"})})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  ASSERT_TRUE(driver.finish(driver.begin(), How::kFailed));
  EXPECT_EQ(driver.state("d", "r", "a"), "up_for_retry");
  driver.advance_to(kNewYear + 9 * kSecond);
  EXPECT_TRUE(driver.waiting.empty());
  driver.advance_to(kNewYear + 10 * kSecond);
  ASSERT_EQ(driver.waiting.size(), 1u);
  EXPECT_EQ(driver.waiting.front().try_number, 2);
  ASSERT_TRUE(driver.finish(driver.begin(), How::kFailed));
  EXPECT_EQ(driver.state("d", "r", "a"), "failed");
  EXPECT_EQ(driver.state("d", "r", "b"), "upstream_failed");
  EXPECT_EQ(driver.state("d", "r"), "failed");
  EXPECT_EQ(count(driver.notices, Notice::Kind::kTaskRetry), 1);
}

TEST(Scheduler, backoff_is_airflows_with_its_jitter) {
  dags::Task made = task("t");
  made.retry_delay = 10 * kSecond;
  made.retry_exponential_backoff = 2;
  // TaskInstance.next_retry_datetime of DAG d, 2026-01-01T00:00:00+00:00, of tries 1 to 4 and 20:
  // min_backoff + int(sha1("d#t#2026-01-01 00:00:00+00:00#N"), 16) % min_backoff.
  std::vector<Micros> delays;
  for (int attempt : {1, 2, 3, 4, 20}) {
    delays.push_back(retry_delay(made, "d", kNewYear, attempt) / kSecond);
  }
  EXPECT_THAT(delays, ElementsAre(19, 35, 58, 153, 86400));
  made.max_retry_delay = 15 * kSecond;
  EXPECT_LE(retry_delay(made, "d", kNewYear, 4), 15 * kSecond);
  made.retry_exponential_backoff = 0;
  EXPECT_EQ(retry_delay(made, "d", kNewYear, 4), 10 * kSecond);
}

TEST(Scheduler, a_rescheduled_sensor_holds_no_slot_and_keeps_its_try) {
  Driver driver({.parallelism = 1}, {make_dag("d", {task("sensor"), task("other")})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  Start sensor = driver.begin();
  EXPECT_TRUE(driver.waiting.empty());
  ASSERT_TRUE(driver.handle(Finished{.task = sensor.task,
                                     .try_number = 1,
                                     .how = How::kReschedule,
                                     .at = kNewYear + kMinute,
                                     .skip = {},
                                     .mapped_length = {},
                                     .asset_extra = {},
                                     .aliased = {}}));
  ASSERT_EQ(driver.waiting.size(), 1u);
  EXPECT_EQ(driver.waiting.front().task.task, "other");
  driver.run_all();
  driver.advance_to(kNewYear + kMinute);
  ASSERT_EQ(driver.waiting.size(), 1u);
  EXPECT_EQ(driver.waiting.front().try_number, 1);
}

TEST(Scheduler, a_sensors_times_count_from_its_trys_first_look) {
  auto tweak = [](dags::Task& made) { made.retries = 1; };
  Driver driver({}, {make_dag("d", {task("sensor", {}, tweak)})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  const auto look_in_vain = [&] {
    const Start start = driver.begin();
    EXPECT_TRUE(driver.handle(Finished{.task = start.task,
                                       .try_number = start.try_number,
                                       .how = How::kReschedule,
                                       .at = driver.now() + kMinute,
                                       .began = driver.now(),
                                       .skip = {},
                                       .mapped_length = {},
                                       .asset_extra = {},
                                       .aliased = {}}));
    driver.advance_to(driver.now() + kMinute);
  };
  const auto counted_from = [&] {
    return driver.kept().tasks.at({{"d", "r"}, "sensor", -1}).first_started_at;
  };
  look_in_vain();
  look_in_vain();
  EXPECT_EQ(counted_from(), kNewYear);
  ASSERT_TRUE(driver.finish(driver.begin(), How::kFailed));
  driver.advance_to(kNewYear + 3 * kMinute);
  EXPECT_EQ(counted_from(), std::nullopt);
  look_in_vain();
  EXPECT_EQ(counted_from(), kNewYear + 3 * kMinute);
}

TEST(Scheduler, a_deferred_task_goes_on_in_its_try_when_what_it_waits_for_comes) {
  Driver driver({}, {make_dag("d", {task("a")})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  Start start = driver.begin();
  ASSERT_TRUE(driver.finish(start, How::kDefer));
  EXPECT_EQ(driver.state("d", "r", "a"), "deferred");
  driver.advance_to(kNewYear + kDay);
  EXPECT_TRUE(driver.waiting.empty());
  ASSERT_TRUE(driver.handle(Resume{start.task, 1}));
  ASSERT_EQ(driver.waiting.size(), 1u);
  EXPECT_EQ(driver.waiting.front().try_number, 1);
  driver.run_all();
  EXPECT_EQ(driver.state("d", "r"), "success");
}

TEST(Scheduler, a_pool_gives_no_more_slots_than_it_has_the_weightiest_first) {
  auto in_pool = [](int weight, int slots) {
    return [=](dags::Task& made) {
      made.pool = "small";
      made.pool_slots = slots;
      made.priority_weight = weight;
    };
  };
  Driver driver({},
                {make_dag("d", {task("low", {}, in_pool(1, 1)), task("high", {}, in_pool(9, 2)),
                                task("too_big", {}, in_pool(5, 3))})},
                kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  EXPECT_TRUE(driver.waiting.empty());  // there is no such pool
  EXPECT_THAT(driver.scheduler().why_waiting({{"d", "r"}, "low"}, kNewYear),
              ElementsAre("There is no pool small."));
  ASSERT_TRUE(driver.handle(SetPool{{.name = "small", .slots = 2}}));
  ASSERT_EQ(driver.waiting.size(), 1u);
  EXPECT_EQ(driver.waiting.front().task.task, "high");
  driver.run_all();
  EXPECT_THAT(names(driver.begun), ElementsAre("high", "low"));
  EXPECT_EQ(driver.state("d", "r", "too_big"), "scheduled");
  ASSERT_TRUE(driver.handle(SetPool{{.name = "small", .slots = 3}}));
  driver.run_all();
  EXPECT_EQ(driver.state("d", "r"), "success");
}

TEST(Scheduler, each_asset_event_makes_exactly_one_run) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) {
    made.assets = testing::asset("x-topic://orders");
    made.max_active_runs = 1;
  });
  Driver driver({}, {dag}, kNewYear);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(driver.handle(
        AssetHappened{.uri = "x-topic://orders", .extra = std::int64_t{i}, .aliases = {}}));
  }
  ASSERT_TRUE(driver.handle(AssetHappened{.uri = "x-topic://others", .extra = {}, .aliases = {}}));
  EXPECT_EQ(driver.run_ids("d").size(), 5u);
  driver.run_all();
  std::vector<std::int64_t> consumed;
  for (const std::string& run : driver.run_ids("d")) {
    EXPECT_EQ(driver.state("d", run), "success");
    const sched::Run& row = driver.kept().runs.at({"d", run});
    ASSERT_EQ(row.asset_events.size(), 1u);
    consumed.push_back(*driver.kept().events.at(row.asset_events[0]).extra.integer());
  }
  EXPECT_THAT(consumed, ElementsAre(0, 1, 2, 3, 4));
}

TEST(Scheduler, all_of_several_assets_make_a_run_when_the_last_has_come) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) {
    made.assets = dags::AssetCondition{.kind = dags::AssetCondition::Kind::kAll,
                                       .asset = {},
                                       .alias = {},
                                       .parts = {testing::asset("one"), testing::asset("two")}};
  });
  Driver driver({}, {dag}, kNewYear);
  auto happen = [&](const char* uri) {
    ASSERT_TRUE(driver.handle(AssetHappened{.uri = uri, .extra = {}, .aliases = {}}));
  };
  happen("one");
  happen("one");
  EXPECT_TRUE(driver.run_ids("d").empty());
  happen("two");
  ASSERT_EQ(driver.run_ids("d").size(), 1u);
  EXPECT_EQ(driver.kept().runs.begin()->second.asset_events.size(), 3u);
  happen("two");
  EXPECT_EQ(driver.run_ids("d").size(), 1u);
}

TEST(Scheduler, a_declared_batch_makes_one_run_of_many_events_or_after_its_time) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) {
    made.assets = testing::asset("x");
    made.assets->asset.extra = *jinja::from_json(
        R"({"tailrace": {"batch_events": 3, "batch_seconds": 60}, "owner": "me"})");
  });
  EXPECT_EQ(batch_of(*dag->assets), (AssetBatch{.events = 3, .within = kMinute}));
  Driver driver({}, {dag}, kNewYear);
  auto happen = [&] {
    ASSERT_TRUE(driver.handle(AssetHappened{.uri = "x", .extra = {}, .aliases = {}}));
  };
  happen();
  happen();
  EXPECT_TRUE(driver.run_ids("d").empty());
  happen();
  ASSERT_EQ(driver.run_ids("d").size(), 1u);
  happen();
  driver.advance_to(kNewYear + kMinute - 1);
  EXPECT_EQ(driver.run_ids("d").size(), 1u);
  driver.advance_to(kNewYear + kMinute);
  EXPECT_EQ(driver.run_ids("d").size(), 2u);
}

TEST(Scheduler, an_event_may_stand_for_as_many_as_a_declared_batch_has_room_for) {
  auto with_batch = [](const std::string& id, const char* extra) {
    return make_dag(id, {task("a")}, [&](dags::Dag& made) {
      made.assets = testing::asset("x");
      made.assets->asset.extra = *jinja::from_json(extra);
    });
  };
  Driver driver({}, {with_batch("ten", R"({"tailrace": {"batch_events": 10}})")}, kNewYear);
  EXPECT_EQ(driver.scheduler().room("x"), 10);
  auto happen = [&](std::int64_t count) {
    ASSERT_TRUE(
        driver.handle(AssetHappened{.uri = "x", .extra = {}, .aliases = {}, .count = count}));
  };
  happen(7);
  EXPECT_EQ(driver.scheduler().room("x"), 3);
  happen(3);
  EXPECT_EQ(driver.run_ids("ten").size(), 1u);
  EXPECT_EQ(driver.scheduler().room("x"), 10);
  Driver timed({}, {with_batch("timed", R"({"tailrace": {"batch_seconds": 60}})")}, kNewYear);
  ASSERT_TRUE(timed.handle(AssetHappened{.uri = "x", .extra = {}, .aliases = {}, .count = 5000}));
  EXPECT_TRUE(timed.run_ids("timed").empty());
  timed.advance_to(kNewYear + kMinute);
  EXPECT_EQ(timed.run_ids("timed").size(), 1u);
}

TEST(Scheduler, sources_of_events_wait_while_too_many_runs_do) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) { made.assets = testing::asset("x"); });
  Driver driver({.max_waiting_runs = 3}, {dag}, kNewYear);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(driver.scheduler().room("x"), 1);
    ASSERT_TRUE(driver.handle(AssetHappened{.uri = "x", .extra = {}, .aliases = {}}));
  }
  EXPECT_EQ(driver.scheduler().room("x"), 0);
  driver.run_all();
  EXPECT_EQ(driver.scheduler().room("x"), 1);
}

TEST(Scheduler, a_try_that_was_stopped_with_the_program_uses_up_no_retry) {
  Driver driver({}, {make_dag("d", {task("a")})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  const Start first = driver.begin();
  ASSERT_TRUE(driver.handle(Interrupted{first.task, first.try_number}));
  ASSERT_EQ(driver.waiting.size(), 1u);
  EXPECT_EQ(driver.waiting.front().try_number, 2);
  ASSERT_TRUE(driver.finish(driver.begin(), How::kFailed));
  EXPECT_EQ(driver.state("d", "r", "a"), "failed");
}

TEST(Scheduler, events_of_a_paused_dag_wait_only_with_catchup) {
  auto make = [](std::string id, bool catchup) {
    return make_dag(std::move(id), {task("a")}, [=](dags::Dag& made) {
      made.assets = testing::asset("x");
      made.catchup = catchup;
      made.paused_upon_creation = true;
    });
  };
  Driver driver({}, {make("forgets", false), make("waits", true)}, kNewYear);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(driver.handle(AssetHappened{.uri = "x", .extra = {}, .aliases = {}}));
  }
  ASSERT_TRUE(driver.handle(Pause{"forgets", false}));
  ASSERT_TRUE(driver.handle(Pause{"waits", false}));
  EXPECT_TRUE(driver.run_ids("forgets").empty());
  EXPECT_EQ(driver.run_ids("waits").size(), 3u);
}

TEST(Scheduler, a_task_with_an_outlet_starts_the_dags_that_listen) {
  auto writes = [](dags::Task& made) { made.outlets.emplace_back().uri = "t"; };
  auto reader = make_dag("reader", {task("read")},
                         [](dags::Dag& made) { made.assets = testing::asset("t"); });
  Driver driver({}, {make_dag("writer", {task("write", {}, writes)}), reader}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("writer", "good")));
  driver.run_all();
  ASSERT_TRUE(driver.handle(trigger("writer", "bad")));
  driver.run_all(How::kFailed);
  EXPECT_EQ(driver.run_ids("reader").size(), 1u);
  EXPECT_EQ(driver.kept().events.begin()->second.source->task, "write");
}

TEST(Scheduler, depends_on_past_waits_for_the_run_before) {
  auto past = [](dags::Task& made) { made.depends_on_past = true; };
  Driver driver({}, {make_dag("d", {task("a", {}, past)}, every(kDay))}, kNewYear + 3 * kDay);
  EXPECT_EQ(driver.run_ids("d").size(), 3u);
  EXPECT_EQ(driver.waiting.size(), 1u);
  ASSERT_TRUE(driver.finish(driver.begin(), How::kSuccess));
  EXPECT_EQ(driver.waiting.size(), 1u);
  ASSERT_TRUE(driver.finish(driver.begin(), How::kFailed));
  EXPECT_TRUE(driver.waiting.empty());
  EXPECT_EQ(driver.state("d", driver.run_ids("d")[2]), "running");
  // Cleared, it succeeds, and the third goes on.
  ASSERT_TRUE(driver.handle(Clear{.run = {"d", driver.run_ids("d")[1]}, .tasks = {}}));
  driver.run_all();
  EXPECT_EQ(driver.state("d", driver.run_ids("d")[2]), "success");
}

TEST(Scheduler, a_run_that_takes_too_long_is_stopped_and_failed) {
  auto dag = make_dag("d", {task("a"), task("b", {"a"})},
                      [](dags::Dag& made) { made.dagrun_timeout = kMinute; });
  Driver driver({}, {dag}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  driver.begin();
  driver.advance_to(kNewYear + kMinute + kSecond);
  EXPECT_EQ(driver.state("d", "r"), "failed");
  EXPECT_EQ(driver.state("d", "r", "a"), "skipped");
  EXPECT_THAT(driver.stopped, ElementsAre("a"));
}

TEST(Scheduler, a_deadline_by_the_average_runtime_counts_from_when_the_run_is_queued) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) {
    made.deadlines.emplace_back().reference = dags::Deadline::Reference::kAverage;
    made.deadlines.back().interval = kSecond;
    made.deadlines.back().max_runs = 2;
    made.deadlines.back().min_runs = 2;
  });
  Driver driver({.finished_runs_kept = 1}, {dag}, kNewYear);
  for (int minutes : {4, 2, 1}) {
    ASSERT_TRUE(driver.handle(trigger("d", "r" + std::to_string(minutes))));
    const Start start = driver.begin();
    driver.advance_to(driver.now() + minutes * kMinute);
    ASSERT_TRUE(driver.finish(start, How::kSuccess));
    EXPECT_EQ(count(driver.notices, Notice::Kind::kDeadlineMissed), 0);
  }
  // The last two of those took a minute and a half.
  const Micros queued = driver.now();
  ASSERT_TRUE(driver.handle(trigger("d", "late")));
  driver.advance_to(queued + kMinute * 3 / 2 + kSecond - 1);
  EXPECT_EQ(count(driver.notices, Notice::Kind::kDeadlineMissed), 0);
  driver.advance_to(queued + kMinute * 3 / 2 + kSecond);
  EXPECT_EQ(count(driver.notices, Notice::Kind::kDeadlineMissed), 1);
}

TEST(Scheduler, a_missed_deadline_is_told_once_and_none_after_success) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) {
    made.deadlines.emplace_back().interval = kMinute;
    made.deadlines.back().reference = dags::Deadline::Reference::kQueuedAt;
  });
  Driver driver({}, {dag}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "late")));
  driver.advance_to(kNewYear + kMinute);
  driver.crash(false);
  driver.advance_to(kNewYear + kHour);
  EXPECT_EQ(count(driver.notices, Notice::Kind::kDeadlineMissed), 1);
  ASSERT_TRUE(driver.handle(trigger("d", "in_time")));
  driver.run_all();
  driver.advance_to(kNewYear + 2 * kHour);
  EXPECT_EQ(count(driver.notices, Notice::Kind::kDeadlineMissed), 1);
}

TEST(Scheduler, a_paused_dag_queues_nothing_until_it_goes_on) {
  Driver driver({}, {make_dag("d", {task("a"), task("b", {"a"})})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  Start a = driver.begin();
  ASSERT_TRUE(driver.handle(Pause{"d", true}));
  ASSERT_TRUE(driver.finish(a, How::kSuccess));
  EXPECT_TRUE(driver.waiting.empty());
  ASSERT_TRUE(driver.handle(Pause{"d", false}));
  driver.run_all();
  EXPECT_EQ(driver.state("d", "r"), "success");
}

TEST(Scheduler, clearing_a_failed_task_runs_it_and_what_follows_again_with_new_tries) {
  auto dag = make_dag("d", {task("a"), task("b", {"a"}), task("c", {"b"})});
  Driver driver({}, {dag}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  ASSERT_TRUE(driver.finish(driver.begin(), How::kSuccess));
  driver.run_all(How::kFailed);
  EXPECT_EQ(driver.state("d", "r", "c"), "upstream_failed");
  ASSERT_TRUE(driver.handle(Clear{.run = {"d", "r"}, .tasks = {"b"}, .downstream = true}));
  ASSERT_EQ(driver.waiting.size(), 1u);
  EXPECT_EQ(driver.waiting.front().try_number, 2);
  driver.run_all();
  EXPECT_EQ(driver.state("d", "r"), "success");
  EXPECT_THAT(names(driver.begun), ElementsAre("a", "b", "b", "c"));
}

TEST(Scheduler, setting_a_failed_task_to_success_lets_what_failed_for_it_go_on) {
  Driver driver({}, {make_dag("d", {task("a"), task("b", {"a"})})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  driver.run_all(How::kFailed);
  ASSERT_TRUE(driver.handle(SetTask{.task = {{"d", "r"}, "a"}, .state = TaskState::kSuccess}));
  driver.run_all();
  EXPECT_EQ(driver.state("d", "r", "b"), "success");
  EXPECT_EQ(driver.state("d", "r"), "success");
}

TEST(Scheduler, ending_a_run_stops_what_runs_and_lets_teardowns_go_on) {
  auto setup = [](dags::Task& made) { made.is_setup = true; };
  auto teardown = [](dags::Task& made) {
    made.is_teardown = true;
    made.trigger_rule = dags::TriggerRule::kAllDoneSetupSuccess;
  };
  Driver driver(
      {},
      {make_dag("d", {task("open", {}, setup), task("work", {"open"}), task("more", {"work"}),
                      task("close", {"open", "more"}, teardown)})},
      kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  ASSERT_TRUE(driver.finish(driver.begin(), How::kSuccess));
  driver.begin();
  ASSERT_TRUE(driver.handle(SetRun{{"d", "r"}, RunState::kFailed}));
  EXPECT_THAT(driver.stopped, ElementsAre("work"));
  EXPECT_EQ(driver.state("d", "r", "more"), "skipped");
  driver.run_all();
  EXPECT_EQ(driver.state("d", "r", "close"), "success");
}

TEST(Scheduler, deleting_a_run_leaves_nothing_of_it) {
  Driver driver({}, {make_dag("d", {task("a")})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  driver.begin();
  ASSERT_TRUE(driver.handle(DeleteRun{{"d", "r"}}));
  EXPECT_TRUE(driver.kept().runs.empty());
  EXPECT_TRUE(driver.kept().tasks.empty());
  EXPECT_THAT(driver.stopped, ElementsAre("a"));
  EXPECT_EQ(driver.handle(DeleteRun{{"d", "r"}}).error().code, Code::kNotFound);
}

TEST(Scheduler, a_backfill_makes_the_missing_runs_so_many_at_a_time_and_completes) {
  auto dag = make_dag("d", {task("a")}, every(kDay, false));
  Driver driver({}, {dag}, kNewYear + 10 * kDay + kHour);
  driver.run_all();
  ASSERT_EQ(driver.run_ids("d").size(), 1u);
  Backfill wanted{.dag = "d", .from = kNewYear, .to = kNewYear + 20 * kDay, .max_active_runs = 2};
  ASSERT_TRUE(driver.handle(MakeBackfill{wanted}));
  EXPECT_EQ(driver.run_ids("d").size(), 10u);
  EXPECT_EQ(driver.waiting.size(), 2u);
  EXPECT_EQ(driver.handle(MakeBackfill{wanted}).error().code, Code::kAlreadyExists);
  driver.crash(false);
  driver.run_all();
  EXPECT_EQ(driver.run_ids("d").size(), 10u);
  EXPECT_TRUE(driver.kept().backfills.at(1).completed_at);
}

TEST(Scheduler, a_cancelled_backfill_fails_what_is_queued_and_lets_the_rest_end) {
  Driver driver({}, {make_dag("d", {task("a")}, every(kDay, false))}, kNewYear + 5 * kDay + kHour);
  driver.run_all();
  ASSERT_TRUE(driver.handle(MakeBackfill{
      {.dag = "d", .from = kNewYear, .to = kNewYear + 4 * kDay, .max_active_runs = 1}}));
  ASSERT_TRUE(driver.handle(SetBackfill{.id = 1, .paused = false, .cancelled = true}));
  driver.run_all();
  std::map<std::string, int> states;
  for (const std::string& run : driver.run_ids("d")) ++states[driver.state("d", run)];
  EXPECT_EQ(states, (std::map<std::string, int>{{"success", 2}, {"failed", 3}}));
}

TEST(Scheduler, a_task_that_no_rule_can_ever_run_is_a_deadlock_and_fails_the_run) {
  auto too_late = [](dags::Task& made) { made.end_date = kNewYear; };
  auto dag = make_dag("d", {task("a", {}, too_late), task("b", {"a"})}, every(kDay));
  Driver driver({}, {dag}, kNewYear + 2 * kDay);
  driver.run_all();
  EXPECT_EQ(driver.state("d", driver.run_ids("d")[0]), "success");
  EXPECT_EQ(driver.state("d", driver.run_ids("d")[1]), "failed");
  EXPECT_EQ(driver.state("d", driver.run_ids("d")[1], "b"), "none");
}

TEST(Scheduler, after_so_many_failed_runs_the_dag_is_paused) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) {
    every(kDay)(made);
    made.max_active_runs = 1;
    made.max_consecutive_failed_runs = 2;
  });
  Driver driver({}, {dag}, kNewYear + 5 * kDay);
  driver.run_all(How::kFailed);
  EXPECT_TRUE(driver.scheduler().row("d")->paused);
  EXPECT_EQ(driver.run_ids("d").size(), 2u);
}

TEST(Scheduler, a_new_version_is_for_new_runs_and_after_a_crash_for_all) {
  auto old_one = make_dag("d", {task("a"), task("gone", {"a"})});
  auto new_one =
      make_dag("d", {task("a"), task("fresh", {"a"})}, [](dags::Dag& made) { made.version = "2"; });
  Driver driver({}, {old_one}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "before")));
  ASSERT_TRUE(driver.handle(trigger("d", "across")));
  driver.set_dags({new_one});
  ASSERT_TRUE(driver.finish(driver.begin(), How::kSuccess));
  ASSERT_EQ(driver.waiting.back().task.task, "gone");
  driver.crash(false);
  EXPECT_EQ(driver.state("d", "before", "gone"), "removed");
  driver.run_all();
  EXPECT_EQ(driver.state("d", "before", "fresh"), "success");
  EXPECT_EQ(driver.state("d", "across"), "success");
  EXPECT_EQ(driver.kept().runs.at({"d", "across"}).dag_version, "2");
}

TEST(Scheduler, what_is_asked_for_wrongly_changes_nothing) {
  Driver driver({}, {make_dag("d", {task("a")})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  int answers = driver.answers;
  EXPECT_EQ(driver.handle(trigger("d", "r")).error().code, Code::kAlreadyExists);
  EXPECT_EQ(driver.handle(trigger("none", "r")).error().code, Code::kNotFound);
  EXPECT_EQ(driver.handle(trigger("d", "scheduled__x")).error().code, Code::kInvalidArgument);
  EXPECT_EQ(driver.handle(Clear{.run = {"d", "r"}, .tasks = {"b"}}).error().code, Code::kNotFound);
  EXPECT_EQ(driver.handle(DropPool{"default_pool"}).error().code, Code::kFailedPrecondition);
  EXPECT_EQ(driver.handle(Started{{{"d", "r"}, "a"}, 7}).error().code, Code::kFailedPrecondition);
  EXPECT_EQ(driver.answers, answers);
}

TEST(Scheduler, finished_runs_are_forgotten_and_come_back_when_they_are_cleared) {
  Driver driver({.finished_runs_kept = 1}, {make_dag("d", {task("a")})}, kNewYear);
  for (const char* run : {"one", "two", "three"}) {
    ASSERT_TRUE(driver.handle(trigger("d", run)));
    driver.run_all();
  }
  EXPECT_EQ(driver.scheduler().runs("d").size(), 1u);
  EXPECT_EQ(driver.handle(trigger("d", "one")).error().code, Code::kAlreadyExists);
  ASSERT_TRUE(driver.handle(Clear{.run = {"d", "one"}, .tasks = {}}));
  driver.run_all();
  EXPECT_EQ(driver.kept().tasks.at({{"d", "one"}, "a"}).try_number, 2);
  EXPECT_EQ(driver.state("d", "one"), "success");
}

TEST(Scheduler, a_dag_that_is_forgotten_leaves_nothing_and_is_new_when_it_comes_again) {
  auto dag = make_dag("d", {task("a")}, every(kHour));
  auto other = make_dag("other", {task("a")});
  Driver driver({.finished_runs_kept = 1}, {dag, other}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("other", "r")));
  for (const char* run : {"one", "two", "three"}) ASSERT_TRUE(driver.handle(trigger("d", run)));
  driver.run_all();
  driver.advance_to(kNewYear + kHour);
  EXPECT_EQ(driver.run_ids("d").size(), 4u);
  ASSERT_TRUE(driver.handle(MakeBackfill{
      .wanted = {.dag = "d", .from = kNewYear - kHour, .to = kNewYear, .max_active_runs = 1}}));
  ASSERT_TRUE(driver.handle(Pause{.dag = "d", .paused = true}));
  ASSERT_TRUE(driver.handle(ForgetDag{"d"}));
  EXPECT_TRUE(driver.run_ids("d").empty());
  EXPECT_FALSE(driver.kept().dags.contains("d"));
  EXPECT_TRUE(driver.kept().backfills.empty());
  EXPECT_EQ(driver.kept().tasks.size(), 1u) << "the other DAG's";
  EXPECT_EQ(driver.handle(trigger("d", "one")).error().code, Code::kNotFound);
  EXPECT_EQ(driver.handle(ForgetDag{"d"}).error().code, Code::kNotFound);
  driver.advance_to(kNewYear + 3 * kHour);
  EXPECT_TRUE(driver.run_ids("d").empty()) << "nothing falls due";
  driver.crash(true);
  EXPECT_EQ(driver.state("other", "r"), "success");
  driver.set_dags({dag, other});
  EXPECT_FALSE(driver.kept().dags.at("d").paused);
  ASSERT_TRUE(driver.handle(trigger("d", "one")));
  driver.run_all();
  EXPECT_EQ(driver.state("d", "one"), "success");
}

TEST(Scheduler, a_dag_whose_tasks_run_is_not_forgotten) {
  Driver driver({}, {make_dag("d", {task("a")})}, kNewYear);
  ASSERT_TRUE(driver.handle(trigger("d", "r")));
  const Start start = driver.begin();
  EXPECT_EQ(driver.handle(ForgetDag{"d"}).error().code, Code::kFailedPrecondition);
  ASSERT_TRUE(driver.finish(start, Finished::How::kSuccess));
  EXPECT_EQ(driver.state("d", "r"), "success");
  EXPECT_TRUE(driver.handle(ForgetDag{"d"}));
}

TEST(Scheduler, happenings_that_wait_are_dropped_by_asset_and_time) {
  auto dag = make_dag("d", {task("a")}, [](dags::Dag& made) {
    made.assets = dags::AssetCondition{
        .kind = dags::AssetCondition::Kind::kAll,
        .asset = {},
        .alias = {},
        .parts = {testing::asset("one"), testing::asset("two"), testing::asset("three")}};
  });
  Driver driver({}, {dag}, kNewYear);
  auto happen = [&](const char* uri) {
    ASSERT_TRUE(driver.handle(AssetHappened{.uri = uri, .extra = {}, .aliases = {}}));
  };
  happen("one");
  happen("two");
  EXPECT_EQ(driver.handle(DropPending{.dag = "d", .assets = {"three"}}).error().code,
            Code::kNotFound);
  EXPECT_EQ(driver.handle(DropPending{.dag = "d", .before = kNewYear}).error().code,
            Code::kNotFound);
  ASSERT_TRUE(driver.handle(DropPending{.dag = "d", .assets = {"one"}}));
  happen("three");
  EXPECT_TRUE(driver.run_ids("d").empty()) << "one has to happen again";
  driver.crash(true);
  happen("one");
  ASSERT_EQ(driver.run_ids("d").size(), 1u);
  EXPECT_EQ(driver.kept().runs.begin()->second.asset_events.size(), 3u);
  happen("two");
  ASSERT_TRUE(driver.handle(DropPending{.dag = "d"}));
  EXPECT_TRUE(driver.kept().dags.at("d").pending_asset_events.empty());
}

}  // namespace
}  // namespace tailrace::sched
