// What the tree of a statement says, what its canonical text is, and what is refused for its size.
#include "cql_syntax/statement.h"

#include <gtest/gtest.h>

namespace tailrace::cql_syntax {
namespace {

Statement parsed(std::string_view text) {
  Result<Statement> made = parse(text);
  EXPECT_TRUE(made) << text << ": " << (made ? "" : made.error().what);
  return made ? std::move(*made) : Statement{};
}

std::string canonical(std::string_view text) {
  return print(parsed(text));
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string made;
  for (; times > 0; --times) made += text;
  return made;
}

TEST(Statement, select_keeps_every_clause) {
  const Statement made = parsed(
      "select json distinct a, b.f as x from Ks.\"T\" where k = ? and (c, d) in ((1, 2)) order by "
      "c desc "
      "per partition limit 2 limit :n allow filtering;");
  const Select& select = std::get<Select>(made.body);
  EXPECT_TRUE(select.json);
  EXPECT_TRUE(select.distinct);
  ASSERT_EQ(select.selectors.size(), 2u);
  EXPECT_EQ(select.selectors[1].expression.kind, Expression::Kind::kField);
  EXPECT_EQ(select.selectors[1].alias, "x");
  EXPECT_EQ(select.from.keyspace, "ks");
  EXPECT_EQ(select.from.name, "T");
  ASSERT_EQ(select.where.size(), 2u);
  EXPECT_EQ(select.where[1].kind, Relation::Kind::kTuple);
  EXPECT_TRUE(select.order_by[0].descending);
  EXPECT_TRUE(select.per_partition_limit);
  EXPECT_TRUE(select.allow_filtering);
  EXPECT_EQ(made.markers, (std::vector<std::string>{"", "n"}));
}

TEST(Statement, words_that_are_names_stay_names) {
  EXPECT_EQ(canonical("SELECT json, distinct FROM t"), "SELECT \"json\", \"distinct\" FROM t");
  EXPECT_EQ(canonical("SELECT key, type FROM tables"), "SELECT key, type FROM tables");
  EXPECT_EQ(canonical("DESCRIBE type"), "DESCRIBE \"type\"");
  EXPECT_EQ(canonical("UPDATE t SET a = 1 WHERE k = 1 IF exists = 2"),
            "UPDATE t SET a = 1 WHERE k = 1 IF \"exists\" = 2");
}

TEST(Statement, counters_are_added_to_however_it_is_written) {
  for (const char* text : {"c = c + 1", "c += 1"}) {
    EXPECT_EQ(canonical(std::string("UPDATE t SET ") + text + " WHERE k = 1"),
              "UPDATE t SET c += 1 WHERE k = 1");
  }
  EXPECT_EQ(canonical("UPDATE t SET c = c -1 WHERE k = 1"), "UPDATE t SET c += -1 WHERE k = 1");
  EXPECT_EQ(canonical("UPDATE t SET l = [1] + l WHERE k = 1"),
            "UPDATE t SET l = [1] + l WHERE k = 1");
}

TEST(Statement, positions_are_lines_and_utf16_columns) {
  const Statement made = parsed("SELECT *\nFROM t WHERE a = '\xF0\x9F\x98\x80' AND b = 2");
  const Select& select = std::get<Select>(made.body);
  EXPECT_EQ(select.where[1].at.line, 2);
  EXPECT_EQ(select.where[1].at.column, 26);
}

TEST(Statement, table_definition_is_kept_whole) {
  const Statement made = parsed(
      "CREATE TABLE t (a int, b text STATIC, c frozen<map<int, ks.u>> MASKED WITH DEFAULT, PRIMARY "
      "KEY ((a, d), c)) "
      "WITH CLUSTERING ORDER BY (c DESC) AND compaction = {'class': 'X'}");
  const CreateTable& table = std::get<CreateTable>(made.body);
  EXPECT_EQ(table.columns.size(), 3u);
  EXPECT_TRUE(table.columns[1].is_static);
  EXPECT_EQ(table.columns[2].type.items[0].items[1].keyspace, "ks");
  EXPECT_EQ(table.primary_key->partition, (std::vector<std::string>{"a", "d"}));
  EXPECT_TRUE(table.options.clustering_order[0].descending);
  EXPECT_EQ(table.options.properties[0].value.kind, Expression::Kind::kMap);
}

TEST(Limits, text_beyond_the_limit_is_refused) {
  const Result<Statement> made = parse("SELECT * FROM t", Limits{.bytes = 10});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kResourceExhausted);
}

TEST(Limits, nesting_beyond_the_limit_is_refused_wherever_it_is) {
  constexpr std::size_t kDeep = 100'000;
  for (const auto& [before, open] :
       std::vector<std::pair<std::string, std::string>>{{"INSERT INTO t (a) VALUES (", "["},
                                                        {"INSERT INTO t (a) VALUES (", "("},
                                                        {"INSERT INTO t (a) VALUES (", "{1:"},
                                                        {"INSERT INTO t (a) VALUES (", "f("},
                                                        {"INSERT INTO t (a) VALUES (", "(int)"},
                                                        {"INSERT INTO t (a) VALUES (", "CAST("},
                                                        {"SELECT ", "("},
                                                        {"SELECT ", "["},
                                                        {"SELECT ", "{"},
                                                        {"SELECT ", "- "},
                                                        {"SELECT ", "(int)"},
                                                        {"SELECT ", "f("},
                                                        {"SELECT a", ".b"},
                                                        {"SELECT a", "[1]"},
                                                        {"SELECT a", "+a"},
                                                        {"SELECT a", "*a"},
                                                        {"SELECT * FROM t WHERE ", "("},
                                                        {"INSERT INTO t (a) VALUES (1", " + 1"},
                                                        {"CREATE TABLE t (a ", "list<"},
                                                        {"CREATE TABLE t (a ", "frozen<"}}) {
    const Result<Statement> made = parse(before + repeated(open, kDeep));
    ASSERT_FALSE(made) << before << open;
    EXPECT_EQ(made.error().code, Code::kResourceExhausted)
        << before << open << ": " << made.error().what;
  }
}

TEST(Limits, terms_beyond_the_limit_are_refused) {
  const Result<Statement> made =
      parse("SELECT * FROM t WHERE a IN (" + repeated("1, ", 100) + "1)", Limits{.terms = 50});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kResourceExhausted);
}

}  // namespace
}  // namespace tailrace::cql_syntax
