// What a Delta table promises about commits, replays, retractions and crashes.
#include "lake/delta_table.h"

#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "lake/compaction.h"

namespace tailrace::lake {
namespace {

namespace fs = std::filesystem;

Schema columns() {
  return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8())});
}

Batch rows_of(const std::vector<std::int64_t>& ids) {
  arrow::Int64Builder id;
  arrow::StringBuilder name;
  for (const std::int64_t i : ids)
    EXPECT_TRUE((id.Append(i) & name.Append("name" + std::to_string(i))).ok());
  return arrow::RecordBatch::Make(columns(), static_cast<std::int64_t>(ids.size()),
                                  arrow::ArrayVector{*id.Finish(), *name.Finish()});
}

class DeltaTableTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "lakeXXXXXX";
    folder_ = mkdtemp(name.data());
    table_ = open();
  }
  void TearDown() override {
    table_.reset();
    fs::remove_all(folder_);
  }
  std::unique_ptr<DeltaTable> open(const Schema& schema = columns()) {
    TableOptions options;
    options.files.sync = false;
    auto table = DeltaTable::open_or_create(folder_, schema, options);
    EXPECT_TRUE(table) << table.error().what;
    return std::move(*table);
  }
  std::map<std::int64_t, int> contents(DeltaTable& table) {
    std::map<std::int64_t, int> found;
    EXPECT_TRUE(table.scan({"id"}, [&](const Batch& rows) -> Result<bool> {
      for (std::int64_t row = 0; row < rows->num_rows(); ++row) {
        ++found[static_cast<const arrow::Int64Array&>(*rows->column(0)).Value(row)];
      }
      return true;
    }));
    return found;
  }
  Status change(const std::vector<std::int64_t>& ids, std::vector<Weight> weights) {
    TRY(table_->apply({rows_of(ids), std::move(weights)}));
    TRY(table_->commit({"app", ++version_}));
    return {};
  }
  std::size_t data_files() const {
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(folder_))
      files += entry.path().extension() == ".parquet";
    return files;
  }

  std::string folder_;
  std::unique_ptr<DeltaTable> table_;
  std::int64_t version_ = 0;
};

using Rows = std::map<std::int64_t, int>;

TEST_F(DeltaTableTest, staged_rows_are_not_there_until_they_are_committed) {
  ASSERT_TRUE(table_->stage(rows_of({1, 2})));
  EXPECT_EQ(contents(*table_), Rows());
  ASSERT_TRUE(table_->commit({"app", 1}));
  EXPECT_EQ(contents(*table_), (Rows{{1, 1}, {2, 1}}));
  EXPECT_EQ((*table_->snapshot())->rows(), 2);
}

TEST_F(DeltaTableTest, a_prepared_commit_survives_as_text_and_is_published_once) {
  ASSERT_TRUE(table_->stage(rows_of({1})));
  const std::string text = table_->prepare({"app", 7})->to_text();
  const auto stored = Prepared::from_text(text);
  ASSERT_TRUE(stored);
  table_ = open();
  EXPECT_EQ(*table_->publish(*stored), 1);
  EXPECT_EQ(*table_->publish(*stored), 1);
  table_ = open();
  EXPECT_EQ(*table_->publish(*stored), 1);
  EXPECT_EQ(contents(*table_), (Rows{{1, 1}}));
  EXPECT_EQ(**table_->last_txn("app"), 7);
  EXPECT_EQ(*table_->last_txn("other"), std::nullopt);
}

TEST_F(DeltaTableTest, a_crash_before_the_commit_leaves_orphans_that_vacuum_removes) {
  ASSERT_TRUE(change({1}, {1}));
  ASSERT_TRUE(table_->stage(rows_of({2})));
  ASSERT_TRUE(table_->prepare({"app", 9}));
  table_ = open();
  EXPECT_EQ(contents(*table_), (Rows{{1, 1}}));
  EXPECT_EQ(data_files(), 2u);
  EXPECT_EQ(*table_->vacuum(), 0);
  EXPECT_EQ(*table_->vacuum(std::chrono::milliseconds(-1000)), 1);
  EXPECT_EQ(contents(*table_), (Rows{{1, 1}}));
}

TEST_F(DeltaTableTest, vacuum_keeps_what_is_staged_or_prepared) {
  ASSERT_TRUE(table_->stage(rows_of({1})));
  const auto prepared = table_->prepare({"app", 1});
  ASSERT_TRUE(table_->stage(rows_of({2})));
  EXPECT_EQ(*table_->vacuum(std::chrono::milliseconds(-1000)), 0);
  ASSERT_TRUE(table_->publish(*prepared));
  ASSERT_TRUE(table_->commit({"app", 2}));
  EXPECT_EQ(contents(*table_), (Rows{{1, 1}, {2, 1}}));
}

TEST_F(DeltaTableTest, random_changes_give_the_sum_of_their_weights) {
  std::mt19937 random(3);
  Rows expected;
  for (int step = 0; step < 60; ++step) {
    std::vector<std::int64_t> ids;
    std::vector<Weight> weights;
    for (int i = 0; i < 20; ++i) {
      const std::int64_t id = random() % 40;
      const Weight weight =
          random() % 2 == 0 ? 1 + static_cast<Weight>(random() % 2) : -std::min(expected[id], 1);
      if (weight == 0) continue;
      ids.push_back(id);
      weights.push_back(weight);
      expected[id] += static_cast<int>(weight);
    }
    if (step % 3 == 0) {
      ASSERT_TRUE(change(ids, weights));
    } else {
      ASSERT_TRUE(table_->apply({rows_of(ids), weights}));
    }
    if (step % 10 == 9) {
      ASSERT_TRUE(table_->commit({"app", ++version_}));
      ASSERT_TRUE(table_->compact(step % 20 == 19));
      Rows there = expected;
      std::erase_if(there, [](const auto& row) { return row.second == 0; });
      ASSERT_EQ(contents(*table_), there);
    }
  }
}

TEST_F(DeltaTableTest, rows_staged_to_files_in_the_same_commit_can_be_retracted) {
  ASSERT_TRUE(table_->apply({rows_of({1, 2, 3}), {}}));
  ASSERT_TRUE(table_->apply({rows_of({2}), {-1}}));
  ASSERT_TRUE(table_->commit({"app", 1}));
  EXPECT_EQ(contents(*table_), (Rows{{1, 1}, {3, 1}}));
}

TEST_F(DeltaTableTest, retracting_a_row_more_often_than_it_is_there_changes_nothing) {
  ASSERT_TRUE(change({1, 1, 2}, {1, 1, 1}));
  const Status refused = change({1, 3}, {-3, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDataLoss);
  EXPECT_EQ(contents(*table_), (Rows{{1, 2}, {2, 1}}));
  ASSERT_TRUE(change({1}, {-2}));
  EXPECT_EQ(contents(*table_), (Rows{{2, 1}}));
}

TEST_F(DeltaTableTest, two_writers_append_side_by_side) {
  auto other = open();
  ASSERT_TRUE(table_->stage(rows_of({1})));
  ASSERT_TRUE(other->stage(rows_of({2})));
  ASSERT_TRUE(table_->commit({"app", 1}));
  EXPECT_EQ(*other->commit({"other", 1}), 2);
  EXPECT_EQ(contents(*table_), (Rows{{1, 1}, {2, 1}}));
}

TEST_F(DeltaTableTest, a_rewrite_of_files_that_another_writer_rewrote_is_aborted) {
  ASSERT_TRUE(change({1, 2, 3}, {1, 1, 1}));
  auto other = open();
  ASSERT_TRUE(table_->apply({rows_of({1}), {-1}}));
  const auto prepared = table_->prepare({"app", 2});
  ASSERT_TRUE(other->apply({rows_of({2}), {-1}}));
  ASSERT_TRUE(other->commit({"other", 1}));
  EXPECT_EQ(table_->publish(*prepared).error().code, Code::kAborted);
  EXPECT_EQ(contents(*table_), (Rows{{1, 1}, {3, 1}}));
}

TEST_F(DeltaTableTest, an_added_column_is_null_in_older_rows) {
  ASSERT_TRUE(change({1}, {1}));
  auto fields = columns()->fields();
  fields.push_back(arrow::field("age", arrow::int32()));
  table_ = open(arrow::schema(fields));
  ASSERT_TRUE(change({2}, {1}));
  table_ = open(arrow::schema(fields));
  std::int64_t nulls = 0;
  ASSERT_TRUE(table_->scan({"age"}, [&](const Batch& rows) -> Result<bool> {
    nulls += rows->column(0)->null_count();
    return true;
  }));
  EXPECT_EQ(nulls, 2);
  EXPECT_EQ(contents(*table_), (Rows{{1, 1}, {2, 1}}));
}

TEST_F(DeltaTableTest, a_field_may_be_added_within_a_struct_and_a_number_may_grow) {
  const auto schema = [](const char* number, bool more) {
    arrow::FieldVector inner = {arrow::field("a", arrow::utf8())};
    if (more) inner.push_back(arrow::field("b", arrow::utf8()));
    const Type type = std::string(number) == "INT" ? arrow::int32() : arrow::int64();
    return arrow::schema({arrow::field("n", type), arrow::field("s", arrow::struct_(inner))});
  };
  const auto rows = [&](const Schema& of, const std::string& json) {
    const auto values =
        arrow::json::ArrayFromJSONString(arrow::struct_(of->fields()), json).ValueOrDie();
    return arrow::RecordBatch::FromStructArray(values).ValueOrDie();
  };
  const auto all = [](DeltaTable& table) {
    std::vector<std::string> found;
    EXPECT_TRUE(table.scan({}, [&](const Batch& batch) -> Result<bool> {
      for (std::int64_t i = 0; i < batch->num_rows(); ++i)
        found.push_back(batch->column(0)->GetScalar(i).ValueOrDie()->ToString() + " " +
                        batch->column(1)->GetScalar(i).ValueOrDie()->ToString());
      return true;
    }));
    std::ranges::sort(found);
    return found;
  };
  table_.reset();
  fs::remove_all(folder_);
  table_ = open(schema("INT", false));
  ASSERT_TRUE(table_->stage(rows(schema("INT", false), R"([{"n": 1, "s": {"a": "x"}}])")));
  ASSERT_TRUE(table_->commit({"app", 1, "WRITE"}));
  table_ = open(schema("INT", true));
  ASSERT_TRUE(table_->stage(rows(schema("INT", true), R"([{"n": 2, "s": {"a": "y", "b": "z"}}])")));
  ASSERT_TRUE(table_->commit({"app", 2, "WRITE"}));
  EXPECT_EQ(table_->snapshot().value()->files.size(), 2U);
  const auto one = all(*table_);
  EXPECT_THAT(one, testing::ElementsAre(testing::StartsWith("1 "), testing::StartsWith("2 ")));
  // The wider number takes new files; what they hold stays.
  table_ = open(schema("BIGINT", true));
  EXPECT_EQ(all(*table_), one);
  ASSERT_TRUE(table_->commit({"app", 3, "WRITE"}));
  EXPECT_EQ(table_->snapshot().value()->files.size(), 1U);
  EXPECT_EQ(all(*table_), one);
  table_ = open(schema("BIGINT", true));
  EXPECT_EQ(all(*table_), one);
  EXPECT_EQ(table_->schema()->field(0)->type()->id(), arrow::Type::INT64);
}

TEST_F(DeltaTableTest, a_torn_commit_file_is_data_loss_that_names_it) {
  std::ofstream(folder_ + "/_delta_log/00000000000000000001.json") << "{\"add\":{\"pa";
  const auto broken = table_->snapshot();
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::kDataLoss);
  EXPECT_THAT(broken.error().what, testing::HasSubstr("00000000000000000001.json"));
}

TEST(Compaction, a_small_file_a_second_leaves_few_files_and_rewrites_each_row_few_times) {
  CompactionOptions options;
  std::map<std::string, AddFile> files;
  std::int64_t written = 0;
  std::int64_t appended = 0;
  const auto add = [&](std::int64_t bytes, int number) {
    AddFile file;
    file.path = std::to_string(number);
    file.size_bytes = bytes;
    written += bytes;
    files[file.path] = file;
  };
  int number = 0;
  for (int commit = 0; commit < 20'000; ++commit) {
    appended += 100 << 10;
    add(100 << 10, number++);
    for (const auto& group : files_to_compact(files, options)) {
      std::int64_t bytes = 0;
      for (const std::string& path : group) {
        bytes += files[path].size_bytes;
        files.erase(path);
      }
      add(bytes, number++);
    }
    ASSERT_LT(files.size(), 80u);
  }
  EXPECT_LT(written, 6 * appended);
}

}  // namespace
}  // namespace tailrace::lake
