// Binding: plans as text, the rules of streaming, declared columns, expectations, views, the
// example's project.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <fstream>
#include <sstream>

#include "engine/expr.h"
#include "sql/sql.h"

namespace tailrace::sql {
namespace {

using ::testing::HasSubstr;

class Known : public Catalog {
 public:
  void add(RelationInfo::Kind kind, std::string name, const char* ddl) {
    const auto type = engine::parse_ddl_type(ddl);
    ASSERT_TRUE(type.has_value()) << type.error().what;
    add(kind, std::move(name), arrow::schema((*type)->fields()));
  }
  void add(RelationInfo::Kind kind, std::string name, Schema schema) {
    infos_.push_back({kind, std::move(name), std::move(schema), nullptr});
  }
  void add_view(const Statement& view) {
    infos_.push_back({RelationInfo::Kind::kTemporaryView, view.name.text(), nullptr, &view});
  }

  std::optional<RelationInfo> find(const std::vector<std::string>& parts) const override {
    for (const auto& info : infos_) {
      if (info.name == parts.back()) return info;
    }
    return std::nullopt;
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& info : infos_) names.push_back(info.name);
    return names;
  }

 private:
  std::deque<RelationInfo> infos_;
};

class Binding : public ::testing::Test {
 protected:
  void SetUp() override {
    known_.add(RelationInfo::Kind::kTopic, "x", "id INT, name STRING, ts TIMESTAMP, n BIGINT");
    known_.add(RelationInfo::Kind::kMaterializedView, "m", "id INT, label STRING");
  }
  std::string bound(const std::string& text) {
    auto parsed = parse_pipeline(text, "p.sql");
    if (!parsed) return parsed.error().what;
    kept_.push_back(std::move(*parsed));
    auto& statements = kept_.back();
    for (std::size_t i = 0; i + 1 < statements.size(); ++i) known_.add_view(statements[i]);
    const auto plan = bind_flow(statements.back(), known_);
    return plan ? explain(*plan) : plan.error().what;
  }
  Known known_;
  std::deque<std::vector<Statement>> kept_;
};

TEST_F(Binding, filter_sinks_and_columns_are_pruned) {
  EXPECT_EQ(bound("CREATE STREAMING TABLE s AS SELECT b FROM (SELECT id AS a, name AS b, n FROM "
                  "STREAM x) WHERE a > 1"),
            "project name#1 as b\n  filter >(id#0, 1)\n    project id#0, name#1\n      source "
            "stream x\n");
}

TEST_F(Binding, window_over_a_watermark_emits_by_its_group) {
  EXPECT_EQ(bound("CREATE STREAMING TABLE s AS SELECT name, ts, count(*) AS c FROM STREAM x "
                  "WATERMARK ts DELAY OF INTERVAL 5 SECONDS "
                  "GROUP BY name, ts"),
            "project group0#0 as name, group1#1 as ts, aggregate0#2 as c\n"
            "  aggregate by [name#0, ts#1]: count(*) emit by 1\n"
            "    watermark ts#1 delay 5000000 us\n"
            "      project name#1, ts#2\n        source stream x\n");
}

TEST_F(Binding, rank_of_one_becomes_a_limit_and_is_not_made) {
  EXPECT_EQ(bound("CREATE MATERIALIZED VIEW v AS SELECT id, label FROM (SELECT *, row_number() "
                  "OVER (PARTITION BY id ORDER BY "
                  "label DESC) AS rn FROM m) WHERE rn = 1"),
            "project id#0, label#1\n  top 1 of [id#0] by label#1 desc\n    source m\n");
}

TEST_F(Binding, streaming_rules_have_sparks_classes) {
  EXPECT_THAT(bound("CREATE STREAMING TABLE s AS SELECT * FROM x"),
              HasSubstr("[INVALID_FLOW_QUERY_TYPE.BATCH_RELATION_FOR_STREAMING_TABLE]"));
  EXPECT_THAT(bound("CREATE MATERIALIZED VIEW s AS SELECT * FROM STREAM x"),
              HasSubstr("[INVALID_FLOW_QUERY_TYPE.STREAMING_RELATION_FOR_MATERIALIZED_VIEW]"));
  EXPECT_THAT(
      bound("CREATE STREAMING TABLE s AS SELECT name, count(*) AS c FROM STREAM x GROUP BY name"),
      HasSubstr("[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION]"));
  EXPECT_THAT(bound("CREATE STREAMING TABLE s AS SELECT DISTINCT name FROM STREAM x"),
              HasSubstr("[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION]"));
  EXPECT_THAT(bound("CREATE STREAMING TABLE s AS SELECT name FROM STREAM x ORDER BY name"),
              HasSubstr("Sorting is not supported on streaming"));
  EXPECT_THAT(bound("CREATE STREAMING TABLE s AS SELECT label FROM STREAM m"),
              HasSubstr("cannot be read with STREAM"));
}

TEST_F(Binding, temporary_views_are_bound_in_place) {
  EXPECT_EQ(bound("CREATE TEMPORARY VIEW v AS SELECT id + 1 AS i FROM STREAM x; CREATE STREAMING "
                  "TABLE s AS SELECT i FROM STREAM v"),
            "project +(id#0, 1) as i\n  source stream x\n");
  EXPECT_THAT(bound("CREATE TEMPORARY VIEW w AS SELECT * FROM w; CREATE MATERIALIZED VIEW s AS "
                    "SELECT * FROM w"),
              HasSubstr("[RECURSIVE_VIEW]"));
}

TEST_F(Binding, declared_columns_must_be_the_querys) {
  EXPECT_THAT(bound("CREATE MATERIALIZED VIEW v (id BIGINT) AS SELECT id FROM m"),
              HasSubstr("`id` is declared BIGINT, the query gives INT"));
  EXPECT_EQ(bound("CREATE MATERIALIZED VIEW v (label STRING, id INT) AS SELECT id, label FROM m"),
            "project label#1, id#0\n  source m\n");
}

TEST_F(Binding, expectations_are_bound_over_the_output) {
  EXPECT_THAT(
      bound(
          "CREATE STREAMING TABLE s (CONSTRAINT c EXPECT (k > 0)) AS SELECT id AS k FROM STREAM x"),
      HasSubstr("expect c: >(k#0, 0)\n"));
  EXPECT_THAT(
      bound("CREATE STREAMING TABLE s (CONSTRAINT c EXPECT (idd > 0)) AS SELECT id FROM STREAM x"),
      HasSubstr("p.sql:1:48: [UNRESOLVED_COLUMN.WITH_SUGGESTION]"));
}

TEST_F(Binding, the_example_project_binds) {
  known_.add(
      RelationInfo::Kind::kTopic, "users_created",
      "key STRING, value STRING, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP");
  for (const auto* file : {"bronze", "silver", "gold"}) {
    std::ifstream in(std::string("examples/random_users/transformations/") + file + ".sql");
    std::ostringstream text;
    text << in.rdbuf();
    auto parsed = parse_pipeline(text.str(), std::string(file) + ".sql");
    ASSERT_TRUE(parsed.has_value()) << parsed.error().what;
    for (const auto& statement : *parsed) {
      const auto plan = bind_flow(statement, known_);
      ASSERT_TRUE(plan.has_value()) << plan.error().what;
      const bool table = statement.kind == Statement::Kind::kStreamingTable;
      known_.add(
          table ? RelationInfo::Kind::kStreamingTable : RelationInfo::Kind::kMaterializedView,
          statement.name.text(), plan->root->schema);
    }
  }
}

}  // namespace
}  // namespace tailrace::sql
