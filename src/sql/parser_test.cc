// What the parser takes and refuses, with places; and that no text makes it crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "sql/sql.h"

namespace tailrace::sql {
namespace {

using ::testing::HasSubstr;

std::string failure(std::string_view text) {
  const auto parsed = parse_pipeline(text, "p.sql");
  return parsed ? "parsed" : parsed.error().what;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(parser, statement_has_spans_of_query_and_expectations) {
  const std::string text =
      "CREATE OR REFRESH STREAMING TABLE s (\n  CONSTRAINT ok EXPECT (id > 0 AND name <> ')') ON "
      "VIOLATION DROP ROW,\n"
      "  CONSTRAINT warn EXPECT (id < 9)\n) COMMENT 'c' TBLPROPERTIES ('a' = 'b') AS SELECT * FROM "
      "STREAM x;\nSET a.b = 1";
  const auto parsed = parse_pipeline(text, "p.sql");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().what;
  ASSERT_EQ(parsed->size(), 2U);
  const Statement& table = (*parsed)[0];
  EXPECT_EQ(table.query_text(), "SELECT * FROM STREAM x");
  EXPECT_EQ(table.name.text(), "s");
  EXPECT_FALSE(table.plain_spark);
  ASSERT_EQ(table.not_plain.size(), 1U);
  EXPECT_EQ(table.source->slice(table.not_plain[0]), "OR REFRESH");
  ASSERT_EQ(table.expectations.size(), 2U);
  EXPECT_EQ(table.expectations[0].text, "id > 0 AND name <> ')'");
  EXPECT_EQ(table.expectations[0].action, engine::Expectation::Action::kDrop);
  EXPECT_EQ(table.expectations[1].action, engine::Expectation::Action::kWarn);
  EXPECT_EQ(table.source->slice(table.element_list).front(), '(');
  EXPECT_EQ(table.properties.at("a"), "b");
  EXPECT_EQ((*parsed)[1].key, "a.b");
}

TEST(parser, a_flow_names_its_target_and_needs_by_name) {
  const auto parsed = parse_pipeline(
      "CREATE FLOW f COMMENT 'c' AS INSERT INTO db.s BY NAME SELECT 1 AS a FROM STREAM x", "p.sql");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().what;
  EXPECT_EQ((*parsed)[0].target.text(), "db.s");
  EXPECT_THAT(failure("CREATE FLOW f AS INSERT INTO s SELECT 1"),
              HasSubstr("p.sql:1:32: Only INSERT INTO by name flows supported"));
}

TEST(parser, errors_say_place_and_what_was_expected) {
  EXPECT_THAT(failure("CREATE STREAMING TABEL s"),
              HasSubstr("p.sql:1:8: [PARSE_SYNTAX_ERROR] Syntax error at or near 'STREAMING'"));
  EXPECT_THAT(failure("CREATE MATERIALIZED VIEW m AS\nSELECT a,, b FROM t"),
              HasSubstr("p.sql:2:10: [PARSE_SYNTAX_ERROR] Syntax error at or near ','"));
  EXPECT_THAT(failure("CREATE MATERIALIZED VIEW m AS SELECT 'a"),
              HasSubstr("p.sql:1:38: [PARSE_SYNTAX_ERROR] A string literal is not closed"));
  EXPECT_THAT(failure("CREATE MATERIALIZED VIEW m"),
              HasSubstr("Unable to find query for CREATE MATERIALIZED VIEW"));
  EXPECT_THAT(failure("SELECT 1"), HasSubstr("Unsupported plan SELECT"));
  EXPECT_THAT(failure("CREATE STREAMING TABLE s (id INT, CHECK (id > 1))"),
              HasSubstr("do not currently support column constraints"));
}

TEST(parser, what_spark_takes_and_we_do_not_says_so) {
  const auto parsed =
      parse_pipeline("CREATE MATERIALIZED VIEW m AS SELECT * FROM a\n  CROSS JOIN b", "p.sql");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code, Code::kUnimplemented);
  EXPECT_EQ(parsed.error().what, "not supported yet: CROSS JOIN at p.sql:2:3");
}

TEST(parser, references_leave_the_statements_own_names_out) {
  const auto parsed = parse_pipeline(
      "CREATE STREAMING TABLE s AS WITH c AS (SELECT * FROM STREAM(a)) SELECT * FROM c JOIN db.b "
      "USING (id)",
      "p.sql");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().what;
  const auto read_from = references((*parsed)[0]);
  ASSERT_EQ(read_from.size(), 2U);
  EXPECT_EQ(read_from[0].name.text(), "a");
  EXPECT_TRUE(read_from[0].streaming);
  EXPECT_EQ(read_from[1].name.text(), "db.b");
}

TEST(parser, deep_nesting_is_a_clear_error) {
  for (const std::string open :
       {"(", "NOT ", "- ", "a[", "CASE WHEN ", "ARRAY(", "CAST(", "(SELECT * FROM ("}) {
    std::string text = "CREATE MATERIALIZED VIEW m AS SELECT ";
    for (int i = 0; i < 10'000; ++i) text += open;
    EXPECT_THAT(failure(text),
                ::testing::AnyOf(HasSubstr("nested too deeply"), HasSubstr("not supported yet")))
        << open;
  }
  std::string chain = "CREATE MATERIALIZED VIEW m AS SELECT 1";
  for (int i = 0; i < 100'000; ++i) chain += " + 1";
  EXPECT_THAT(failure(chain), HasSubstr("nested too deeply"));
}

TEST(parser, mutations_of_the_corpus_never_crash) {
  std::vector<std::string> corpus;
  for (const auto* folder : {"tests/sql", "examples"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const auto extension = entry.path().extension();
      if (extension == ".slt" || extension == ".sql") corpus.push_back(read(entry.path()));
    }
  }
  ASSERT_FALSE(corpus.empty());
  std::mt19937 random(20260101);
  for (int round = 0; round < 3000; ++round) {
    std::string text = corpus[random() % corpus.size()];
    const std::size_t begin = random() % text.size();
    text = text.substr(begin, 1 + random() % 600);
    for (int change = 0; change < 4 && !text.empty(); ++change) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, 1 + random() % 5);
          break;
        case 1:
          text.insert(at, 1, static_cast<char>(random() % 256));
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), 20));
          break;
        default:
          text[at] = "()[]<>.,;'`\"*"[random() % 13];
      }
    }
    (void)parse_pipeline(text, "fuzz.sql");
    (void)parse_pipeline("CREATE MATERIALIZED VIEW m AS SELECT " + text, "fuzz.sql");
    (void)parse_query("SELECT " + text);
  }
}

}  // namespace
}  // namespace tailrace::sql
