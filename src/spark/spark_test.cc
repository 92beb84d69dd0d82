// What two sets of data files differ in, whatever memory there is; what is taken of a Delta table;
// and which line of Spark's output is its first error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "lake/delta_table.h"
#include "spark/difference.h"
#include "spark/followed_table.h"
#include "spark/update.h"

namespace tailrace::spark {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int64_t>;
using Bag = std::map<std::int64_t, std::int64_t>;

Schema columns() {
  return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8())});
}

Batch rows_of(const Ids& ids) {
  arrow::Int64Builder id;
  arrow::StringBuilder name;
  for (const std::int64_t i : ids)
    EXPECT_TRUE((id.Append(i) & name.Append("name" + std::to_string(i))).ok());
  return arrow::RecordBatch::Make(columns(), static_cast<std::int64_t>(ids.size()),
                                  arrow::ArrayVector{*id.Finish(), *name.Finish()});
}

void add(Bag& bag, const Delta& delta) {
  const auto& ids = static_cast<const arrow::Int64Array&>(*delta.rows->column(0));
  for (std::int64_t i = 0; i < delta.size(); ++i)
    if ((bag[ids.Value(i)] += delta.weight(i)) == 0) bag.erase(ids.Value(i));
}

class SparkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "sparkXXXXXX";
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file_of(const Ids& ids) {
    lake::FileOptions options;
    options.sync = false;
    lake::DataFileWriter writer(folder_, columns(), options);
    EXPECT_TRUE(writer.write(*rows_of(ids)));
    const auto files = writer.finish();
    EXPECT_TRUE(files);
    return lake::data_path(folder_, files->at(0).path);
  }

  std::string folder_;
};

TEST_F(SparkTest, the_difference_of_files_is_that_of_their_rows_in_any_memory) {
  std::mt19937 random(7);
  for (const std::size_t memory : {std::size_t{64} << 20, std::size_t{16 << 10}, std::size_t{0}}) {
    FilesChanged files;
    Bag wanted;
    for (int file = 0; file < 4; ++file) {
      Ids ids;
      for (int i = 0; i < 500; ++i) ids.push_back(static_cast<std::int64_t>(random() % 900));
      const bool leaves = file < 2;
      for (const std::int64_t id : ids)
        if ((wanted[id] += leaves ? -1 : 1) == 0) wanted.erase(id);
      (leaves ? files.removed : files.added).push_back(file_of(ids));
    }
    Bag found;
    bool coming = false;
    ASSERT_TRUE(difference(files, columns(), memory, [&](const Delta& delta) -> Status {
      add(found, delta);
      bool leaving = false;
      for (std::int64_t i = 0; i < delta.size(); ++i) {
        leaving |= delta.weight(i) < 0;
        EXPECT_FALSE(coming && leaving) << "a row leaves after others have come";
      }
      for (std::int64_t i = 0; i < delta.size(); ++i) coming |= delta.weight(i) > 0;
      return {};
    }));
    EXPECT_EQ(found, wanted) << memory;
  }
}

TEST_F(SparkTest, of_a_table_the_files_that_are_new_or_gone_are_told_once) {
  auto store = kv::Store::open(folder_ + "/state");
  ASSERT_TRUE(store);
  auto followed = FollowedTable::open(**store, folder_ + "/lake", "Users");
  ASSERT_TRUE(followed);
  auto change = (*followed)->look();
  ASSERT_TRUE(change);
  EXPECT_FALSE(*change) << "there is no table yet";

  lake::TableOptions options;
  options.files.sync = false;
  auto table = lake::DeltaTable::open_or_create(folder_ + "/lake/users", columns(), options);
  ASSERT_TRUE(table) << table.error().what;
  const auto commit = [&](const Ids& ids, Weight weight, std::int64_t version) {
    Delta delta;
    delta.rows = rows_of(ids);
    delta.weights.assign(ids.size(), weight);
    ASSERT_TRUE((*table)->apply(delta));
    ASSERT_TRUE((*table)->commit({.app_id = "a", .version = version}));
  };
  const auto take = [&] {
    Bag found;
    auto now = (*followed)->look();
    EXPECT_TRUE(now && *now);
    if (!now || !*now) return found;
    EXPECT_TRUE(difference((*now)->paths, columns(), 1 << 20, [&](const Delta& delta) -> Status {
      add(found, delta);
      return {};
    }));
    kv::WriteBatch batch;
    (*followed)->take(**now, batch);
    EXPECT_TRUE((*store)->write(batch));
    return found;
  };
  commit({1, 2, 3}, 1, 1);
  EXPECT_EQ(take(), (Bag{{1, 1}, {2, 1}, {3, 1}}));
  commit({4}, 1, 2);
  commit({2}, -1, 3);
  EXPECT_EQ(take(), (Bag{{2, -1}, {4, 1}}));
  EXPECT_EQ((*followed)->rows(), 3);
  change = (*followed)->look();
  ASSERT_TRUE(change);
  EXPECT_FALSE(*change) << "all is taken";

  auto again = FollowedTable::open(**store, folder_ + "/lake", "Users");
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->rows(), 3);
  change = (*again)->look();
  ASSERT_TRUE(change);
  EXPECT_FALSE(*change) << "the store knows what is taken";
}

TEST_F(SparkTest, the_first_error_is_the_one_with_a_class_else_the_first_that_speaks_of_one) {
  const auto of = [](std::initializer_list<const char*> lines) {
    FirstError first;
    for (const char* line : lines) first.take(line);
    return first.text();
  };
  EXPECT_EQ(
      of({"Flow a is QUEUED.", "x Exception: [CAST_INVALID_INPUT] The value 'a'  ", "[AB_CD] 2"}),
      "[CAST_INVALID_INPUT] The value 'a'");
  EXPECT_EQ(of({"[main] a", "Flow a has FAILED.", "RuntimeError: b"}), "Flow a has FAILED.");
  EXPECT_EQ(of({"starting", "no Spark master answers there: x", ""}),
            "no Spark master answers there: x");
  EXPECT_EQ(of({}), "");
}

}  // namespace
}  // namespace tailrace::spark
