// What rules see, of a project that a test makes up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "alerts/observer.h"
#include "alerts/season.h"

namespace tailrace::alerts {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Ms kMinute = 60'000, kStart = 1'000'000'000'000;

class MadeUp final : public Sight {
 public:
  std::vector<pipeline::Hop> hops() override { return all_hops; }
  std::vector<ExpectationCount> expectations() override { return counts; }
  std::vector<ContractRuleSeen> contract_rules() override { return asked; }
  std::vector<std::string> broken(const std::string&, const std::string&, std::size_t) override {
    ++asked_for_examples;
    return {"t-0@1: bad"};
  }
  Result<QueryRows> query(const std::string&, std::size_t) override {
    ++queries;
    return rows;
  }
  std::vector<std::string> dags() override { return {"d"}; }
  std::uint64_t runs_changed() override { return changes; }
  Result<std::vector<RunSeen>> runs(const std::string&, std::size_t) override { return all_runs; }
  Ms next_due(const std::string&) override { return due; }
  RunFailure failure(const RunSeen&) override {
    return {.task = "load", .why = "disk full", .try_number = 2, .log_tail = "a\nb"};
  }

  std::vector<pipeline::Hop> all_hops = {{.id = "served.t", .title = "t"}};
  std::vector<ExpectationCount> counts = {
      {.table = "t", .name = "small", .condition = "n < 1", .passed = 0, .failed = 0}};
  std::vector<ContractRuleSeen> asked = {{.contract = "c", .table = "t", .rule = "many"}};
  Result<QueryRows> rows = QueryRows();
  std::vector<RunSeen> all_runs;
  std::uint64_t changes = 1;
  Ms due = 0;
  int queries = 0, asked_for_examples = 0;
};

class WatchTest : public testing::Test {
 protected:
  std::vector<Said> look(Watch& watch, Ms now) {
    std::vector<Said> said;
    const auto looked = watch.look(now, sight_.hops(), said);
    trouble_ = looked ? "" : looked.error().what;
    return said;
  }
  std::vector<Seen> seen(Watch& watch, Ms now) {
    const auto said = look(watch, now);
    return said.empty() ? std::vector<Seen>() : said[0].seen;
  }

  MadeUp sight_;
  std::string trouble_;
};

TEST_F(WatchTest, a_hop_is_empty_when_nothing_came_for_so_long) {
  const RuleSpec rule{
      .name = "r", .kind = RuleKind::kEmpty, .subject = "served.*", .window = kMinute};
  auto watch = make_hop_watch(rule, "p", "");
  EXPECT_THAT(seen(*watch, kStart), IsEmpty());
  EXPECT_THAT(seen(*watch, kStart + kMinute - 1), IsEmpty());
  const auto empty = seen(*watch, kStart + kMinute);
  ASSERT_THAT(empty, SizeIs(1));
  EXPECT_EQ(empty[0].labels.at("hop"), "served.t");
  EXPECT_THAT(empty[0].summary, HasSubstr("no record has come through served.t for 1m"));
  EXPECT_EQ(empty[0].look, "tailrace status p");
  sight_.all_hops[0].count = 1;
  EXPECT_THAT(seen(*watch, kStart + kMinute + 1), IsEmpty());
}

TEST_F(WatchTest, the_time_a_hop_is_empty_goes_on_after_a_restart_and_replays_are_nothing_new) {
  const RuleSpec rule{
      .name = "r", .kind = RuleKind::kEmpty, .subject = "served.t", .window = kMinute};
  sight_.all_hops[0].count = 100;
  auto watch = make_hop_watch(rule, "p", "");
  (void)look(*watch, kStart);
  const auto said = look(*watch, kStart + 30'000);
  ASSERT_FALSE(said[0].note.empty());
  auto after = make_hop_watch(rule, "p", said[0].note);
  sight_.all_hops[0].count = 90;  // as of the last checkpoint
  EXPECT_THAT(seen(*after, kStart + 500'000), IsEmpty());
  sight_.all_hops[0].count = 100;
  EXPECT_THAT(seen(*after, kStart + 530'000), SizeIs(1));
}

TEST_F(WatchTest, errors_and_lags_are_of_the_hop_itself) {
  const RuleSpec error{.name = "e", .kind = RuleKind::kError, .subject = "*"};
  const RuleSpec lag{.name = "l", .kind = RuleKind::kLag, .subject = "*", .window = 30'000};
  auto errors = make_hop_watch(error, "p", "");
  auto lags = make_hop_watch(lag, "p", "");
  EXPECT_THAT(seen(*errors, kStart), IsEmpty());
  sight_.all_hops[0].failing = true;
  sight_.all_hops[0].last_error = "connection refused";
  sight_.all_hops[0].lag_s = 30.5;
  EXPECT_THAT(seen(*errors, kStart)[0].summary, HasSubstr("connection refused"));
  EXPECT_THAT(seen(*lags, kStart)[0].summary, HasSubstr("the limit is 30s"));
}

TEST_F(WatchTest, a_failure_rate_is_of_the_window_with_what_it_was_before) {
  const RuleSpec rule{.name = "r",
                      .kind = RuleKind::kExpectation,
                      .subject = "t.*",
                      .limit = 0.1,
                      .window = 10 * kMinute,
                      .at_least = 10};
  auto watch = make_expectation_watch(rule, sight_, "p");
  sight_.counts[0].passed = 1000;
  sight_.counts[0].failed = 10;
  EXPECT_THAT(look(*watch, kStart)[0].unknown, SizeIs(1));
  sight_.counts[0].failed = 14;
  EXPECT_THAT(look(*watch, kStart + 1000)[0].unknown, SizeIs(1));  // 4 rows are too few
  sight_.counts[0].passed = 1016;
  const auto fallen = seen(*watch, kStart + 2000);
  ASSERT_THAT(fallen, SizeIs(1));
  EXPECT_THAT(fallen[0].summary, HasSubstr("20 % of 20 rows of t broke `small` within 10m"));
  EXPECT_THAT(fallen[0].summary, HasSubstr("before it was 0.99 %"));
  EXPECT_THAT(fallen[0].details, HasSubstr("bad"));
  (void)seen(*watch, kStart + 3000);
  EXPECT_EQ(sight_.asked_for_examples, 1);
  sight_.counts[0].passed = 1100;
  EXPECT_THAT(seen(*watch, kStart + 4000), IsEmpty());
}

TEST_F(WatchTest, a_contracts_rule_is_an_alert_while_it_is_broken) {
  const RuleSpec rule{.name = "r", .kind = RuleKind::kContract, .subject = "t.*"};
  auto watch = make_contract_watch(rule, sight_, "p");
  EXPECT_THAT(look(*watch, kStart)[0].unknown, SizeIs(1));  // not judged yet
  sight_.asked[0].known = sight_.asked[0].broken = true;
  sight_.asked[0].value = "1";
  sight_.asked[0].must = "mustBeGreaterThan: 5";
  const auto broken = seen(*watch, kStart + 1);
  ASSERT_THAT(broken, SizeIs(1));
  EXPECT_EQ(broken[0].labels, (Labels{{"table", "t"}, {"rule", "many"}}));
  EXPECT_EQ(broken[0].summary, "`many` of t is 1; contract c says mustBeGreaterThan: 5");
  sight_.asked[0].broken = false;
  EXPECT_THAT(seen(*watch, kStart + 2), IsEmpty());
  EXPECT_THAT(look(*watch, kStart + 2)[0].unknown, IsEmpty());
}

TEST_F(WatchTest, rows_of_a_query_are_named_by_what_is_no_number) {
  const RuleSpec rule{.name = "r", .kind = RuleKind::kQuery, .subject = "SELECT", .every = kMinute};
  auto watch = make_query_watch(rule, sight_, "p");
  sight_.rows->columns = {{.name = "country of", .is_number = false},
                          {.name = "n", .is_number = true}};
  sight_.rows->rows = {{"France", "12"}};
  const auto rows = seen(*watch, kStart);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].labels, (Labels{{"country_of", "France"}}));
  EXPECT_EQ(rows[0].value, "12");
  EXPECT_THAT(look(*watch, kStart + kMinute - 1), IsEmpty());
  EXPECT_EQ(sight_.queries, 1);
  sight_.rows = error(Code::kUnavailable, "no");
  EXPECT_THAT(look(*watch, kStart + kMinute), IsEmpty());  // neither so nor over
  EXPECT_EQ(trouble_, "no");
}

TEST_F(WatchTest, each_end_of_a_run_is_told_once_also_after_a_restart) {
  const RuleSpec rule{.name = "r", .kind = RuleKind::kRunFailed, .subject = "*"};
  using enum RunSeen::State;
  sight_.all_runs = {{.dag = "d", .run = "old", .state = kFailed, .ended = 1}};
  auto watch = make_run_watch(rule, sight_, "p", "");
  EXPECT_THAT(seen(*watch, kStart), IsEmpty());  // from before the rule
  sight_.all_runs.push_back({.dag = "d", .run = "r1", .state = kRunning});
  ++sight_.changes;
  EXPECT_THAT(look(*watch, kStart + 1), IsEmpty());
  sight_.all_runs.back() = {.dag = "d", .run = "r1", .state = kFailed, .ended = 5000};
  ++sight_.changes;
  const auto said = look(*watch, kStart + 2);
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_THAT(said[0].seen[0].summary, HasSubstr("run r1 of d failed at task load: disk full"));
  EXPECT_EQ(said[0].seen[0].details, "a\nb");
  auto after = make_run_watch(rule, sight_, "p", said[0].note);
  EXPECT_THAT(look(*after, kStart + 3), IsEmpty());
  sight_.all_runs.push_back({.dag = "d", .run = "r2", .state = kSuccess, .ended = 6000});
  ++sight_.changes;
  const auto over = look(*after, kStart + 4);
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_THAT(over[0].seen, IsEmpty());
  EXPECT_THAT(over[0].unknown, IsEmpty());
}

TEST_F(WatchTest, a_run_that_succeeded_says_how_many_records_went) {
  const RuleSpec rule{.name = "r", .kind = RuleKind::kRunSucceeded, .subject = "d"};
  using enum RunSeen::State;
  sight_.all_hops = {
      {.id = "served.t", .title = "t", .kind = pipeline::HopKind::kServed, .count = 5}};
  auto watch = make_run_watch(rule, sight_, "p", "");
  (void)look(*watch, kStart);
  sight_.all_runs = {{.dag = "d", .run = "r1", .state = kSuccess, .started = 1000, .ended = 3000}};
  sight_.all_hops[0].count = 1205;
  ++sight_.changes;
  const auto said = look(*watch, kStart + 1);
  ASSERT_THAT(said, SizeIs(1));
  ASSERT_THAT(said[0].happened, SizeIs(1));
  EXPECT_EQ(said[0].happened[0].summary, "run r1 of d finished in 2s; records: served.t 1,200");
}

TEST_F(WatchTest, a_run_is_late_when_it_runs_too_long_or_does_not_begin) {
  const RuleSpec rule{.name = "r", .kind = RuleKind::kRunLate, .subject = "d", .window = kMinute};
  auto watch = make_run_watch(rule, sight_, "p", "");
  sight_.all_runs = {{.dag = "d", .run = "r1", .state = RunSeen::State::kRunning, .due = kStart}};
  EXPECT_THAT(seen(*watch, kStart + kMinute), IsEmpty());
  EXPECT_THAT(seen(*watch, kStart + 2 * kMinute)[0].summary, HasSubstr("is still running"));
  sight_.all_runs.clear();
  sight_.due = kStart;
  EXPECT_THAT(seen(*watch, kStart + 3 * kMinute)[0].summary, HasSubstr("has not begun"));
}

TEST(Season, a_day_is_learnt_and_what_is_unusual_for_its_time_is_told) {
  SeasonModel model(Season::kDay);
  // Four weeks of hours: 1,000 by day, 100 by night, a little noise.
  const auto usual = [](int hour) { return hour % 24 >= 8 && hour % 24 < 20 ? 1000.0 : 100.0; };
  int anomalies = 0;
  for (int hour = 0; hour < 28 * 24; ++hour)
    anomalies +=
        model.add(usual(hour) * (1 + 0.02 * std::sin(hour * 1.7)), hour * 3'600'000LL, 4, 10)
            .anomaly;
  EXPECT_LT(anomalies, 28);  // while it learns
  const Ms noon = (28LL * 24 + 12) * 3'600'000;
  EXPECT_FALSE(model.add(1010, noon, 4, 10).anomaly);
  const auto fallen = model.add(412, noon + 3'600'000, 4, 10);
  EXPECT_TRUE(fallen.anomaly);
  EXPECT_THAT(verdict_text(fallen, 412, "/min"), HasSubstr("412/min, expected 998 ±20.2/min"));
  EXPECT_EQ(fallen.of, "at 13:00 UTC");
  EXPECT_TRUE(model.add(1000, (28LL * 24 + 26) * 3'600'000, 4, 10).anomaly);  // at night
}

TEST(Season, one_anomaly_moves_little_and_a_new_normal_is_learnt) {
  SeasonModel model(Season::kNone);
  for (int i = 0; i < 100; ++i) (void)model.add(100 + i % 5, i * 60'000LL, 4, 0);
  EXPECT_TRUE(model.add(100'000, 6'100'000, 4, 0).anomaly);
  EXPECT_FALSE(model.add(102, 6'200'000, 4, 0).anomaly);
  int until = 0;
  while (model.add(500, 6'300'000, 4, 0).anomaly && until < 1000) ++until;
  EXPECT_GT(until, 3);
  EXPECT_LT(until, 200);
}

TEST(Season, its_days_are_those_of_its_zone_when_clocks_are_put_forward) {
  const auto berlin = calendar::Zone::find("Europe/Berlin");
  ASSERT_TRUE(berlin) << berlin.error().what;
  constexpr Ms kHour = 3'600'000,
               kFirst = 1'772'323'200'000;  // 2026-03-01 00:00 UTC; summer from the 29th
  const auto jump = [&](calendar::Zone zone) {
    SeasonModel model(Season::kDay, zone);
    const auto usual = [&](Ms at) {
      const int hour = berlin->to_local(at * 1000).hour;
      return hour >= 8 && hour < 20 ? 1000.0 : 100.0;
    };
    Ms at = kFirst;
    for (; at < kFirst + 28 * 24 * kHour; at += kHour) (void)model.add(usual(at), at, 4, 10);
    // On the 30th the shops open at 8, as ever: 06:00 UTC, where it was 07:00.
    for (; at < kFirst + (29 * 24 + 6) * kHour; at += kHour) (void)model.add(usual(at), at, 4, 10);
    return model.add(1000, at, 4, 10);
  };
  const auto there = jump(*berlin);
  EXPECT_FALSE(there.anomaly);
  EXPECT_EQ(there.of, "at 08:00 Europe/Berlin");
  EXPECT_TRUE(jump(calendar::Zone::utc()).anomaly);
  const SeasonModel model(Season::kDay, *berlin);
  EXPECT_TRUE(SeasonModel::parse(Season::kDay, model.json(), *berlin));
  EXPECT_FALSE(SeasonModel::parse(Season::kDay, model.json()));
}

TEST(Season, a_week_knows_its_days_and_survives_as_text) {
  SeasonModel model(Season::kWeek);
  const Ms sunday = 3 * 86'400'000LL + 14 * 3'600'000LL;  // 1970-01-04 14:00
  for (int week = 0; week < 6; ++week) (void)model.add(50, sunday + week * 7 * 86'400'000LL, 4, 1);
  auto again = SeasonModel::parse(Season::kWeek, model.json());
  ASSERT_TRUE(again) << again.error().what;
  const auto verdict = again->add(10, sunday + 6 * 7 * 86'400'000LL, 4, 1);
  EXPECT_TRUE(verdict.anomaly);
  EXPECT_EQ(verdict_text(verdict, 10, ""), "10, expected 50 ±1 at 14:00 UTC on Sundays");
  EXPECT_FALSE(SeasonModel::parse(Season::kDay, model.json()));
  EXPECT_FALSE(SeasonModel::parse(Season::kWeek, "{}"));
}

TEST(Season, nothing_is_an_anomaly_before_it_knows) {
  SeasonModel model(Season::kNone);
  for (int i = 0; i < SeasonModel::kWarm; ++i)
    EXPECT_FALSE(model.add(i % 2 == 0 ? 0 : 1e9, i, 4, 0).anomaly);
}

TEST(Glob, a_star_is_any_text) {
  EXPECT_TRUE(fits_glob("fetched.*", "fetched.api"));
  EXPECT_TRUE(fits_glob("*", ""));
  EXPECT_TRUE(fits_glob("*.a*c", "x.abc"));
  EXPECT_FALSE(fits_glob("fetched.*", "served.api"));
}

}  // namespace
}  // namespace tailrace::alerts
