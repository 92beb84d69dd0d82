// What is written for open Spark, against golden files.
#include "pipeline/spark_project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tailrace::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string rewritten(const std::string& text) {
  Project project;
  project.folder = "p";
  project.sql_files.push_back({"p/transformations/a.sql", text});
  auto files = spark_project(project, "/out");
  if (!files) return "error: " + files.error().what;
  return files->back().text;
}

TEST(SparkProject, plain_sql_is_written_as_it_is) {
  const std::string text =
      "-- one\nCREATE STREAMING TABLE a COMMENT 'x' AS SELECT * FROM STREAM b ; -- two\n\nSET k = "
      "v;\n";
  EXPECT_EQ(rewritten(text), text);
}

TEST(SparkProject, or_refresh_and_using_delta_go_away) {
  EXPECT_EQ(rewritten("CREATE OR REFRESH STREAMING TABLE a USING delta AS SELECT * FROM STREAM b;"),
            "CREATE STREAMING TABLE a AS SELECT * FROM STREAM b;");
}

TEST(SparkProject, an_expectation_that_warns_leaves_the_table_as_it_is) {
  EXPECT_EQ(
      rewritten(
          "CREATE STREAMING TABLE a (CONSTRAINT c EXPECT (x > 0)) AS SELECT x FROM STREAM b;"),
      "CREATE STREAMING TABLE a AS SELECT x FROM STREAM b;");
}

TEST(SparkProject, declared_columns_stay) {
  EXPECT_THAT(rewritten("CREATE STREAMING TABLE a (x INT COMMENT 'c', CONSTRAINT c EXPECT (x > 0)) "
                        "AS SELECT x FROM STREAM b;"),
              HasSubstr("TABLE a (x INT COMMENT 'c') AS SELECT x"));
}

TEST(SparkProject, drop_row_becomes_a_filter_and_a_quarantine_table) {
  EXPECT_EQ(rewritten("CREATE MATERIALIZED VIEW a (CONSTRAINT c EXPECT (x > 0) ON VIOLATION DROP "
                      "ROW) AS SELECT x FROM b;"),
            "CREATE TEMPORARY VIEW a__checked AS SELECT x FROM b;\n\n"
            "CREATE MATERIALIZED VIEW a AS SELECT * FROM a__checked\nWHERE (x > 0) IS TRUE;\n\n"
            "CREATE MATERIALIZED VIEW a__quarantine AS\nSELECT *, concat_ws(', ',\n"
            "  CASE WHEN (x > 0) IS NOT TRUE THEN 'c' END) AS reason\nFROM a__checked\nWHERE NOT "
            "((x > 0) IS TRUE);");
}

TEST(SparkProject, fail_update_raises_before_rows_are_dropped) {
  const std::string text = rewritten(
      "CREATE STREAMING TABLE a (CONSTRAINT c EXPECT (x <> 'it''s') ON VIOLATION FAIL UPDATE) AS "
      "SELECT x FROM STREAM b;");
  EXPECT_THAT(text,
              HasSubstr("WHERE CASE\n  WHEN (x <> 'it''s') IS NOT TRUE THEN raise_error("
                        "'expectation c of a failed: x <> \\'it\\'\\'s\\'')\n  ELSE true\nEND;"));
  EXPECT_THAT(text, Not(HasSubstr("quarantine")));
}

TEST(SparkProject, flows_into_a_table_with_expectations_are_checked_each) {
  const std::string text = rewritten(
      "CREATE STREAMING TABLE a (CONSTRAINT c EXPECT (x > 0) ON VIOLATION DROP ROW);\n"
      "CREATE FLOW f AS INSERT INTO a BY NAME SELECT x FROM STREAM b;");
  EXPECT_THAT(text,
              HasSubstr("CREATE STREAMING TABLE a;\n\nCREATE STREAMING TABLE a__quarantine;\n"));
  EXPECT_THAT(text,
              HasSubstr("CREATE FLOW f AS INSERT INTO a BY NAME SELECT * FROM STREAM f__checked"));
  EXPECT_THAT(
      text,
      HasSubstr("CREATE FLOW f__quarantine AS INSERT INTO a__quarantine BY NAME\nSELECT *, "));
}

/// tests/real/golden holds what is written for the example; real Spark has run it.
/// TAILRACE_WRITE_GOLDEN=1 writes it.
TEST(SparkProject, the_example_is_written_as_in_the_golden_files) {
  auto project = load_project("examples/random_users");
  ASSERT_TRUE(project) << project.error().what;
  auto files = spark_project(*project, "/project");
  ASSERT_TRUE(files) << files.error().what;
  const std::string golden = "tests/real/golden/random_users";
  if (std::getenv("TAILRACE_WRITE_GOLDEN")) {
    ASSERT_TRUE(write_spark_project(*files, golden));
  }
  for (const WrittenFile& file : *files)
    EXPECT_EQ(file.text, read_text(golden + "/" + file.path)) << file.path;
}

}  // namespace
}  // namespace tailrace::pipeline
