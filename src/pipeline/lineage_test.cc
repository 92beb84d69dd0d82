// From rows back to records, in bound graphs.
#include "pipeline/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/graph.h"

namespace tailrace::pipeline {
namespace {

class LineageTest : public testing::Test {
 protected:
  void bind(const std::string& sql) {
    Project project;
    for (const char* name : {"a", "b"}) {
      TopicSpec topic;
      topic.name = topic.relation = name;
      project.topics.push_back(topic);
    }
    project.sql_files = {{"test.sql", sql}};
    auto graph = make_graph(project);
    ASSERT_TRUE(graph) << graph.error().what;
    graph_ = std::move(*graph);
  }
  const Table& table(const std::string& name) {
    return graph_.tables[static_cast<std::size_t>(graph_.table_index(name))];
  }
  const Flow& flow(const std::string& name) {
    return *std::ranges::find(graph_.flows, name, &Flow::name);
  }

  Graph graph_;
};

/// A row of these columns, each a zero but the given ones.
Batch row_of(const Schema& schema, std::map<std::string, std::int64_t> values) {
  std::vector<Array> columns;
  for (const Field& field : schema->fields()) {
    auto scalar = arrow::MakeNullScalar(field->type());
    if (auto found = values.find(field->name()); found != values.end())
      scalar = *arrow::MakeScalar(found->second)->CastTo(field->type());
    columns.push_back(*arrow::MakeArrayFromScalar(*scalar, 1));
  }
  return arrow::RecordBatch::Make(schema, 1, columns);
}

TEST_F(LineageTest, a_table_that_keeps_partition_and_offset_carries_nothing_more) {
  bind("CREATE STREAMING TABLE t AS SELECT value, `offset` AS o, partition AS p FROM STREAM a;");
  EXPECT_FALSE(table("t").hidden);
  EXPECT_FALSE(flow("t").hidden);
  const auto place = record_of(flow("t"), *row_of(table("t").schema, {{"o", 17}, {"p", 3}}));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->topic, 0);
  EXPECT_EQ(place->partition, 3);
  EXPECT_EQ(place->offset, 17);
}

TEST_F(LineageTest, other_tables_hand_it_on_beside_their_columns) {
  bind(
      "CREATE STREAMING TABLE t AS SELECT value FROM STREAM a;"
      "CREATE STREAMING TABLE u AS SELECT upper(value) AS v FROM STREAM t WHERE value > 'a';");
  EXPECT_TRUE(table("t").hidden);
  EXPECT_TRUE(table("u").hidden);
  EXPECT_EQ(table("u").schema->num_fields(), 1);
  EXPECT_EQ(flow("u").plan.root->schema->num_fields(), 3);
}

TEST_F(LineageTest, a_union_of_topics_tells_them_apart) {
  bind(
      "CREATE STREAMING TABLE t AS SELECT value FROM STREAM a "
      "UNION ALL SELECT value FROM STREAM b;");
  const Schema& schema = flow("t").plan.root->schema;
  ASSERT_EQ(schema->num_fields(), 3);
  const auto place = record_of(flow("t"), *row_of(schema, {{schema->field(1)->name(), 65536 + 2},
                                                           {schema->field(2)->name(), 9}}));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->topic, 1);
  EXPECT_EQ(place->partition, 2);
}

TEST_F(LineageTest, an_exploded_row_has_the_record_of_its_array) {
  bind(
      "CREATE STREAMING TABLE t AS SELECT explode(split(value, ',')) AS part FROM STREAM a;"
      "CREATE STREAMING TABLE u AS SELECT part FROM STREAM t WHERE part <> '';");
  EXPECT_TRUE(flow("u").hidden);
  EXPECT_EQ(table("u").schema->field_names(), (std::vector<std::string>{"part"}));
}

TEST_F(LineageTest, aggregations_and_joins_end_it) {
  bind(
      "CREATE STREAMING TABLE t AS SELECT key, value FROM STREAM a;"
      "CREATE STREAMING TABLE s AS SELECT key, value FROM STREAM b;"
      "CREATE MATERIALIZED VIEW counts AS SELECT key, count(*) AS n FROM t GROUP BY key;"
      "CREATE MATERIALIZED VIEW pairs AS SELECT t.key, s.value FROM t JOIN s ON t.key = s.key;"
      "CREATE MATERIALIZED VIEW one_each AS SELECT DISTINCT value FROM t;");
  for (const char* name : {"counts", "pairs", "one_each"}) {
    EXPECT_FALSE(flow(name).hidden) << name;
    EXPECT_FALSE(table(name).hidden) << name;
    EXPECT_FALSE(record_of(flow(name), *row_of(table(name).schema, {}))) << name;
  }
}

TEST_F(LineageTest, rows_read_back_from_the_lake_have_none) {
  bind("CREATE STREAMING TABLE t AS SELECT value FROM STREAM a;");
  const auto whole = with_unknown_hidden(row_of(table("t").schema, {}));
  ASSERT_TRUE(whole);
  EXPECT_FALSE(record_of(flow("t"), **whole));
  EXPECT_TRUE(without_hidden(*whole)->schema()->Equals(*table("t").schema));
}

}  // namespace
}  // namespace tailrace::pipeline
