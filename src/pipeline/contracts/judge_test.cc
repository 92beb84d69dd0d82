// Measures of contracts over Delta tables: each number against one counted from scratch, and when
// it is taken again.
#include "pipeline/contracts/judge.h"

#include <arrow/builder.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "pipeline/contracts/duplicates.h"

namespace tailrace::pipeline {
namespace {

using State = Verdict::State;
using Kind = Measure::Kind;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kMinute = 60'000;

struct Row {
  std::optional<std::int64_t> id;
  std::optional<std::string> status;
  std::optional<std::string> zip;  ///< place.zip; place itself is null where it begins with '-'
};

Schema schema() {
  return arrow::schema(
      {arrow::field("Id", arrow::int64()), arrow::field("status", arrow::utf8()),
       arrow::field("place", arrow::struct_({arrow::field("zip", arrow::utf8())}))});
}

Batch batch_of(const std::vector<Row>& rows) {
  arrow::Int64Builder ids;
  arrow::StringBuilder statuses;
  auto zips = std::make_shared<arrow::StringBuilder>();
  arrow::StructBuilder places(schema()->field(2)->type(), arrow::default_memory_pool(), {zips});
  for (const Row& row : rows) {
    EXPECT_TRUE((row.id ? ids.Append(*row.id) : ids.AppendNull()).ok());
    EXPECT_TRUE((row.status ? statuses.Append(*row.status) : statuses.AppendNull()).ok());
    EXPECT_TRUE(places.Append(!row.zip || !row.zip->starts_with('-')).ok());
    EXPECT_TRUE((row.zip ? zips->Append(*row.zip) : zips->AppendNull()).ok());
  }
  return arrow::RecordBatch::Make(schema(), static_cast<std::int64_t>(rows.size()),
                                  {*ids.Finish(), *statuses.Finish(), Array(*places.Finish())});
}

Limit is(double number) {
  return {.op = Limit::Op::kIs, .low = number, .text = "mustBe"};
}

Measure duplicates(std::string name, std::vector<std::vector<std::string>> columns) {
  Measure made{.table = "t", .name = std::move(name), .kind = Kind::kDuplicates};
  made.columns = std::move(columns);
  made.limit = is(0);
  return made;
}

Measure nulls(std::string name, bool percent) {
  Measure made{.table = "t", .name = std::move(name), .kind = Kind::kBadRows};
  made.columns = {{"status"}};
  made.sql = "`status` IS NOT NULL";
  made.percent = percent;
  made.limit = is(0);
  return made;
}

Measure rows(Limit limit) {
  Measure made{.contract = "c", .version = "1", .table = "t", .name = "many"};
  made.limit = std::move(limit);
  return made;
}

Measure query(std::string name, std::string sql) {
  Measure made{.table = "t", .name = std::move(name), .kind = Kind::kQuery};
  made.sql = std::move(sql);
  made.limit = is(0);
  return made;
}

class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    std::string pattern = testing::TempDir() + "judgeXXXXXX";
    folder_ = mkdtemp(pattern.data());
    std::filesystem::create_directories(folder_ + "/lake");
    table_ = *lake::DeltaTable::open_or_create(folder_ + "/lake/t", schema());
  }
  ~JudgeTest() override { std::filesystem::remove_all(folder_); }

  void add(const std::vector<Row>& rows) {
    ASSERT_TRUE(table_->stage(batch_of(rows)));
    ASSERT_TRUE(table_->commit({"test", ++commits_}));
    all_.insert(all_.end(), rows.begin(), rows.end());
  }
  std::unique_ptr<Judge> judge(std::vector<Measure> measures) {
    return std::make_unique<Judge>(std::move(measures), std::vector<std::string>{"other", "t"},
                                   folder_, clock_);
  }
  static Verdict first(const Judge& judge) { return judge.rules().at(0).verdict; }

  std::string folder_;
  std::unique_ptr<lake::DeltaTable> table_;
  std::int64_t commits_ = 0;
  std::vector<Row> all_;
  rt::ManualClock clock_{TimestampMs(kStart)};
};

TEST_F(JudgeTest, every_number_is_the_one_counted_from_scratch) {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int commit = 0; commit < 5; ++commit) {
    std::vector<Row> rows;
    for (int i = 0; i < 400; ++i) {
      Row row;
      if (below(10) != 0) row.id = static_cast<std::int64_t>(below(1500)) - 700;
      if (below(4) != 0) row.status = std::string(below(3), 's') + std::to_string(below(20));
      if (below(5) != 0) row.zip = (below(6) == 0 ? "-" : "") + std::to_string(below(800));
      rows.push_back(row);
    }
    add(rows);
  }
  auto judged = judge({duplicates("id", {{"id"}}), duplicates("zip", {{"place", "zip"}}),
                       duplicates("both", {{"Status"}, {"Id"}}), nulls("null", false),
                       nulls("null_share", true), rows(is(2000)),
                       query("sum", "SELECT sum(length(status)) FROM t"),
                       query("none", "SELECT id FROM t WHERE id > 100000")});
  judged->look(true);

  std::map<std::int64_t, int> ids;
  std::map<std::string, int> zips;
  std::map<std::pair<std::string, std::int64_t>, int> both;
  double null = 0, letters = 0;
  for (const Row& row : all_) {
    if (row.id) ++ids[*row.id];
    if (row.zip && !row.zip->starts_with('-')) ++zips[*row.zip];
    if (row.id && row.status) ++both[{*row.status, *row.id}];
    null += row.status ? 0 : 1;
    letters += row.status ? static_cast<double>(row.status->size()) : 0;
  }
  const auto twice = [](const auto& counts) {
    return static_cast<double>(
        std::ranges::count_if(counts, [](const auto& one) { return one.second > 1; }));
  };
  const auto found = judged->rules();
  const auto value = [&](std::size_t i) { return found[i].verdict.value.value_or(-1); };
  for (const JudgedRule& one : found) EXPECT_EQ(one.verdict.error, "") << one.measure->name;
  EXPECT_EQ(value(0), twice(ids));
  EXPECT_EQ(value(1), twice(zips));
  EXPECT_EQ(value(2), twice(both));
  EXPECT_EQ(value(3), null);
  EXPECT_NEAR(value(4), null / 2000 * 100, 1e-6);
  EXPECT_EQ(value(5), 2000);
  EXPECT_EQ(value(6), letters);
  EXPECT_GT(twice(both), 0);
  EXPECT_EQ(found[5].verdict.state, State::kHolds);
  EXPECT_EQ(found[3].verdict.state, State::kBroken);
  // A query without a number is broken, whatever it must be.
  EXPECT_EQ(found[7].verdict.value, std::nullopt);
  EXPECT_EQ(found[7].verdict.state, State::kBroken);
}

TEST_F(JudgeTest, a_share_of_an_empty_table_is_zero) {
  auto judged = judge({nulls("null_share", true), duplicates("id", {{"id"}})});
  judged->look(true);
  EXPECT_EQ(first(*judged).value, 0);
  EXPECT_EQ(judged->rules()[1].verdict.value, 0);
}

TEST_F(JudgeTest, a_table_that_changed_is_judged_again_when_its_time_has_come) {
  auto judged = judge({rows({.op = Limit::Op::kLess, .low = 3, .text = "mustBeLessThan: 3"})});
  judged->look();
  EXPECT_EQ(first(*judged).state, State::kNone);  // it may only just have been made
  add({{1, "a", "1"}});
  clock_.advance(std::chrono::seconds(1));
  judged->look();
  EXPECT_EQ(first(*judged).state, State::kHolds);
  const std::int64_t at = first(*judged).at_ms;
  add({{2, "a", "1"}, {3, "a", "1"}});
  clock_.advance(std::chrono::seconds(30));
  judged->look();
  EXPECT_EQ(first(*judged).at_ms, at);
  clock_.advance(std::chrono::seconds(30));
  judged->look();
  EXPECT_EQ(first(*judged).state, State::kBroken);
  EXPECT_EQ(first(*judged).value, 3);
  EXPECT_EQ(first(*judged).since_ms, kStart + 61'000);
  // Nothing has changed: it is not read again.
  clock_.advance(std::chrono::hours(5));
  judged->look();
  EXPECT_EQ(first(*judged).at_ms, kStart + 61'000);
}

TEST_F(JudgeTest, an_empty_table_is_judged_when_nothing_has_come_in_time) {
  auto judged =
      judge({rows({.op = Limit::Op::kGreater, .low = 0, .text = "mustBeGreaterThan: 0"})});
  clock_.advance(std::chrono::milliseconds(kMinute));
  judged->look();
  EXPECT_EQ(first(*judged).state, State::kBroken);
}

TEST_F(JudgeTest, a_scheduled_measure_is_taken_at_its_times) {
  Measure nightly = rows(is(1));
  nightly.every = std::nullopt;
  nightly.schedule = *calendar::Cron::parse("0 20 * * *");
  auto judged = judge({nightly});
  add({{1, "a", "1"}});
  judged->look();
  EXPECT_EQ(first(*judged).state, State::kHolds);
  add({{2, "a", "1"}});
  // 2023-11-14T22:13:20Z, so the next is 21 h 46 min 40 s away.
  clock_.set(TimestampMs(kStart + (21 * 60 + 46) * kMinute + 39'999));
  judged->look(true);
  EXPECT_EQ(first(*judged).state, State::kHolds);
  clock_.advance(std::chrono::milliseconds(1));
  judged->look();
  EXPECT_EQ(first(*judged).state, State::kBroken);
  // One that passed while nothing ran is made up for.
  add({{3, "a", "1"}});
  clock_.advance(std::chrono::hours(30));
  auto later = judge({nightly});
  EXPECT_EQ(first(*later).value, 2);
  later->look();
  EXPECT_EQ(first(*later).value, 3);
}

TEST_F(JudgeTest, what_was_found_is_known_after_a_restart_unless_the_rule_is_another) {
  add({{1, "a", "1"}});
  judge({rows(is(5))})->look(true);
  const auto again = judge({rows(is(5))});
  EXPECT_EQ(first(*again).state, State::kBroken);
  EXPECT_EQ(first(*again).value, 1);
  EXPECT_EQ(verdict_text(*again->rules()[0].measure, first(*again)), "many of t is 1, mustBe");
  Measure other = rows(is(1));
  other.limit.text = "mustBe: 1";
  EXPECT_EQ(first(*judge({other})).state, State::kNone);
  for (const char* text :
       {"", "[", "[1, null, {}]", R"([{"table": 1}])",
        R"([{"table": "t", "rule": "many", "definition": "rows  false mustBe"}])"}) {
    std::ofstream(folder_ + "/contract_rules.json") << text;
    EXPECT_EQ(first(*judge({rows(is(5))})).state, State::kNone) << text;
  }
}

TEST_F(JudgeTest, what_cannot_be_read_says_why_and_is_tried_again) {
  auto judged = judge({duplicates("gone", {{"gone"}})});
  judged->look(true);
  EXPECT_EQ(first(*judged).state, State::kFailed);
  EXPECT_THAT(first(*judged).error, testing::HasSubstr("t has no column `gone`"));
  const std::int64_t at = first(*judged).at_ms;
  clock_.advance(std::chrono::milliseconds(kMinute));
  judged->look();
  EXPECT_GT(first(*judged).at_ms, at);
}

TEST_F(JudgeTest, a_query_is_judged_when_another_table_it_reads_has_changed) {
  auto other = *lake::DeltaTable::open_or_create(folder_ + "/lake/other", schema());
  auto judged = judge({query("more", "SELECT count(*) FROM other")});
  judged->look(true);
  EXPECT_EQ(first(*judged).state, State::kHolds);
  ASSERT_TRUE(other->stage(batch_of({{1, "a", "1"}})));
  ASSERT_TRUE(other->commit({"test", 1}));
  clock_.advance(std::chrono::milliseconds(kMinute));
  judged->look();
  EXPECT_EQ(first(*judged).value, 1);
}

TEST(Limit, compares_as_the_standard_says_with_both_ends_of_a_range) {
  using Op = Limit::Op;
  const auto holds = [](Op op, double value) {
    return Limit{.op = op, .low = 2, .high = 4}.holds(value);
  };
  const std::map<Op, std::string> expected = {
      {Op::kIs, "010000"},      {Op::kIsNot, "101111"},
      {Op::kGreater, "001111"}, {Op::kGreaterOrEqual, "011111"},
      {Op::kLess, "100000"},    {Op::kLessOrEqual, "110000"},
      {Op::kBetween, "011110"}, {Op::kNotBetween, "100001"}};
  for (const auto& [op, verdicts] : expected) {
    std::string found;
    for (const double value : {1.5, 2.0, 2.5, 3.5, 4.0, 4.5}) found += holds(op, value) ? '1' : '0';
    EXPECT_EQ(found, verdicts) << static_cast<int>(op);
  }
}

TEST(DuplicateCount, counts_values_that_came_more_than_once_in_little_memory) {
  std::mt19937_64 random(11);
  for (const std::uint64_t range : {3U, 500U, 20'000U, 1'000'000U}) {
    std::vector<std::string> values;
    for (int i = 0; i < 20'000; ++i) values.push_back("v" + std::to_string(random() % range));
    std::map<std::string, int> counts;
    for (const std::string& value : values) ++counts[value];
    const auto expected =
        std::ranges::count_if(counts, [](const auto& one) { return one.second > 1; });
    for (const std::size_t memory : {1024U, 10'000U, 1U << 20}) {
      DuplicateCount count(memory);
      int passes = 0;
      do {
        ++passes;
        for (const std::string& value : values) count.add(value);
      } while (count.again());
      EXPECT_EQ(count.found(), expected) << range << " in " << memory;
      if (memory == 1U << 20) {
        EXPECT_EQ(passes, 1);
      }
    }
  }
}

}  // namespace
}  // namespace tailrace::pipeline
