// What of a step's deltas Cassandra is told, and that chunks come back as they went.
#include "cassandra/changes.h"

#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "cql_types/parts.h"
#include "cql_types/text.h"

namespace tailrace::cassandra {
namespace {

const Schema& columns() {
  static const Schema schema =
      arrow::schema({arrow::field("v", arrow::utf8()), arrow::field("b", arrow::int32()),
                     arrow::field("a", arrow::utf8())});
  return schema;
}

served::Definition definition(int partition_columns = 1) {
  std::set<std::string> taken;
  return served::define({.keyspace = "k", .table = "t", .partition_columns = partition_columns},
                        {"t", columns(), {"a", "b"}}, taken)
      .value();
}

Delta delta(const std::string& rows, std::vector<Weight> weights) {
  const auto array =
      arrow::json::ArrayFromJSONString(arrow::struct_(columns()->fields()), rows).ValueOrDie();
  return {arrow::RecordBatch::FromStructArray(array).ValueOrDie(), std::move(weights)};
}

/// "('x', 1)": values with their lengths as literals, of the columns from `first` on.
std::string text_of(const served::Definition& made, std::string_view cells, std::size_t first) {
  std::string text;
  cql_types::TupleReader reader(cells);
  cql_types::Part part;
  for (std::size_t i = first; reader.next(part); ++i)
    text += (text.empty() ? "" : " ") +
            cql_types::to_literal(*made.table.columns[i].type, part).value();
  return text;
}

std::map<std::string, std::string> drained(Changes& changes, const served::Definition& made) {
  std::map<std::string, std::string> all;
  changes.drain(1, 1 << 20, [&](std::vector<ChangedRow> rows) {
    for (const ChangedRow& row : rows)
      all[text_of(made, row.key, 0)] = row.removed ? "removed" : text_of(made, row.rest, 2);
  });
  return all;
}

using Rows = std::map<std::string, std::string>;

TEST(Changes, of_each_key_the_last_change_counts_and_within_one_a_row_that_comes) {
  const auto made = definition();
  Changes changes;
  ASSERT_TRUE(changes.take(
      made, *columns(), delta(R"([["old", 1, "x"], ["y1", 1, "y"], ["z1", 1, "z"]])", {1, 1, 1})));
  ASSERT_TRUE(
      changes.take(made, *columns(),
                   delta(R"([["new", 1, "x"], ["old", 1, "x"], ["y1", 1, "y"], [null, 2, "y"]])",
                         {1, -1, -1, 1})));
  EXPECT_EQ(drained(changes, made),
            (Rows{{"'x' 1", "'new'"}, {"'y' 1", "removed"}, {"'y' 2", "null"}, {"'z' 1", "'z1'"}}));
  EXPECT_EQ(changes.size_bytes(), 0u);
  EXPECT_EQ(drained(changes, made), Rows{});
}

TEST(Changes, columns_are_found_by_name_and_those_that_a_delta_lacks_are_null) {
  const auto made = definition();
  Changes changes;
  const auto rows = delta(R"([["v", 1, "x"]])", {1});
  ASSERT_TRUE(changes.take(
      made, *columns(),
      {arrow::RecordBatch::Make(arrow::schema({columns()->field(2), columns()->field(1)}), 1,
                                {rows.rows->column(2), rows.rows->column(1)}),
       {}}));
  EXPECT_EQ(drained(changes, made), (Rows{{"'x' 1", "null"}}));
}

TEST(Changes, rows_that_cassandra_cannot_have_are_left_out_and_counted) {
  const auto made = definition();
  Changes changes;
  ASSERT_TRUE(changes.take(
      made, *columns(),
      delta(R"([["v", null, "x"], ["v", 1, null], ["v", 1, ""], ["v", 1, "x"]])", {1, 1, 1, 1})));
  EXPECT_EQ(drained(changes, made), (Rows{{"'x' 1", "'v'"}}));
  EXPECT_EQ(changes.take_left_out(), 3);
}

TEST(Changes, rows_of_one_partition_stand_together_in_parts_of_about_a_size) {
  const auto made = definition();
  Changes changes;
  std::string rows;
  for (int i = 0; i < 300; ++i)
    rows += std::string(i == 0 ? "[" : ", ") + R"(["v", )" + std::to_string(i) + R"(, "p)" +
            std::to_string(i % 7) + R"("])";
  ASSERT_TRUE(changes.take(made, *columns(), delta(rows + "]", std::vector<Weight>(300, 1))));
  std::size_t parts = 0, count = 0, turns = 0;
  std::string last;
  changes.drain(1, 500, [&](const std::vector<ChangedRow>& part) {
    ++parts;
    count += part.size();
    EXPECT_LE(part.size(), 30u);
    for (const ChangedRow& row : part) {
      const std::string partition = partition_of(row.key, 1);
      turns += partition != last ? 1 : 0;
      last = partition;
    }
  });
  EXPECT_EQ(count, 300u);
  EXPECT_GE(parts, 10u);
  EXPECT_EQ(turns, 7u);
}

Chunk some_chunk() {
  return {
      .timestamp = 1'700'000'000'000'000,
      .table = "users",
      .insert = "INSERT …",
      .remove = "DELETE …",
      .partition_columns = 2,
      .rows = {{std::string("\0\0\0\1a", 5), std::string("\0\xFF", 2), false}, {"k", "", true}}};
}

TEST(Chunk, it_comes_back_as_it_went) {
  const Chunk chunk = some_chunk();
  const Chunk back = Chunk::from_bytes(chunk.to_bytes()).value();
  EXPECT_EQ(back.timestamp, chunk.timestamp);
  EXPECT_EQ(back.table, chunk.table);
  EXPECT_EQ(back.insert, chunk.insert);
  EXPECT_EQ(back.remove, chunk.remove);
  EXPECT_EQ(back.partition_columns, chunk.partition_columns);
  ASSERT_EQ(back.rows.size(), 2u);
  EXPECT_EQ(back.rows[0].key, chunk.rows[0].key);
  EXPECT_EQ(back.rows[0].rest, chunk.rows[0].rest);
  EXPECT_FALSE(back.rows[0].removed);
  EXPECT_TRUE(back.rows[1].removed);
}

TEST(Chunk, one_that_is_cut_off_within_a_row_is_damaged) {
  const std::string bytes = some_chunk().to_bytes();
  const auto cut = Chunk::from_bytes(std::string_view(bytes).substr(0, bytes.size() - 2));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::kDataLoss);
}

TEST(Chunk, a_compound_partition_key_is_as_cassandra_makes_it) {
  std::string key;
  cql_types::append_part(key, "ab");
  cql_types::append_part(key, "c");
  EXPECT_EQ(partition_of(key, 1), "ab");
  EXPECT_EQ(partition_of(key, 2), std::string("\0\2ab\0\0\1c\0", 9));
}

}  // namespace
}  // namespace tailrace::cassandra
