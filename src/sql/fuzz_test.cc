// Random SQL: no text makes the lexer, the parser or the binder crash, hang or overflow the stack,
// and no call of a catalogue function that binds makes its kernel crash, whatever it is given.
// TAILRACE_FUZZ_ROUNDS makes it longer; a failure prints the seed and the text.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "columns/types.h"
#include "sql/testing/tables.h"

namespace tailrace::sql {
namespace {

using Random = std::mt19937;

std::size_t rounds(std::size_t usual) {
  const char* text = std::getenv("TAILRACE_FUZZ_ROUNDS");
  return text ? static_cast<std::size_t>(std::atoll(text)) : usual;
}

template <typename List>
const auto& one_of(Random& random, const List& list) {
  return list[std::uniform_int_distribution<std::size_t>(0, std::size(list) - 1)(random)];
}

testing::Tables tables() {
  testing::Tables made;
  const auto added = made.add(
      "t",
      "id INT, s STRING, p DECIMAL(10,2), d DOUBLE, big BIGINT, ok BOOLEAN, day DATE, at "
      "TIMESTAMP, "
      "st STRUCT<a: INT, b: STRING>, tags ARRAY<STRING>, n ARRAY<INT>, m MAP<STRING, INT>",
      {R"({"id": 1, "s": "ann", "p": 1.5, "d": 0.5, "big": 9223372036854775807, "ok": true, "day":
"2024-02-29", "at": "2024-02-29T10:11:12.5Z", "st": {"a": 1, "b": "x"}, "tags": ["p", null], "n": [3, 1],
"m": {"k": 7}})",
       R"({"id": -2147483648, "s": "", "p": -9.99, "d": -0.0, "big": -1, "ok": false, "day":
"0001-01-01", "at": "1969-12-31T23:59:59Z", "st": {"a": null, "b": null}, "tags": [], "n": [null], "m": {}})",
       R"({"id": null})"});
  EXPECT_TRUE(added.has_value());
  return made;
}

// A random walk down the grammar of expressions.
class Expressions {
 public:
  explicit Expressions(Random& random) : random_(random) {
    for (const auto& info : engine::function_catalogue()) {
      const bool word =
          !info.name.empty() && std::isalpha(static_cast<unsigned char>(info.name[0]));
      if (word) functions_.push_back(info.name);
    }
  }

  std::string make(int depth) {
    static constexpr std::array kLeaves = {"id",
                                           "s",
                                           "p",
                                           "d",
                                           "big",
                                           "ok",
                                           "day",
                                           "at",
                                           "st",
                                           "tags",
                                           "n",
                                           "m",
                                           "st.a",
                                           "tags[0]",
                                           "m['k']",
                                           "NULL",
                                           "0",
                                           "1",
                                           "-1",
                                           "2",
                                           "2147483647",
                                           "9223372036854775807L",
                                           "1.5",
                                           "1e308D",
                                           "double('NaN')",
                                           "''",
                                           "'a'",
                                           "'é日😀'",
                                           "'%'",
                                           "'['",
                                           "'yyyy-MM-dd'",
                                           "'10 minutes'",
                                           "'UTC'",
                                           "true",
                                           "X'00FF'",
                                           "DATE'2024-02-29'",
                                           "TIMESTAMP'2024-02-29 10:00:00'",
                                           "INTERVAL 1 DAY",
                                           "array()",
                                           "map()",
                                           "array(1, NULL)",
                                           "'{\"a\":[1]}'",
                                           "'$.a'",
                                           "'a INT'"};
    if (depth <= 0 || chance(3)) return one_of(random_, kLeaves);
    switch (pick(8)) {
      case 0:
        return "(" + make(depth - 1) + " " + operation() + " " + make(depth - 1) + ")";
      case 1:
        return "CAST(" + make(depth - 1) + " AS " + type() + ")";
      case 2:
        return "CASE WHEN " + make(depth - 1) + " THEN " + make(depth - 1) + " ELSE " +
               make(depth - 1) + " END";
      case 3:
        return make(depth - 1) + " IN (" + make(depth - 1) + ", " + make(depth - 1) + ")";
      case 4:
        return lambda(depth);
      default:
        return call(depth);
    }
  }

 private:
  std::size_t pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  bool chance(std::size_t in) { return pick(in) == 0; }

  std::string operation() {
    static constexpr std::array kOperations = {"+",   "-",  "*",   "/",   "%",    "DIV",  "=",
                                               "<=>", "<",  "AND", "OR",  "&",    "|",    "^",
                                               "||",  "<<", ">>",  ">>>", "LIKE", "RLIKE"};
    return one_of(random_, kOperations);
  }
  std::string type() {
    static constexpr std::array kTypes = {"INT",
                                          "TINYINT",
                                          "BIGINT",
                                          "DOUBLE",
                                          "FLOAT",
                                          "DECIMAL(38,10)",
                                          "STRING",
                                          "DATE",
                                          "TIMESTAMP",
                                          "BOOLEAN",
                                          "BINARY",
                                          "ARRAY<STRING>",
                                          "MAP<STRING, STRING>",
                                          "STRUCT<a: STRING, b: INT>"};
    return one_of(random_, kTypes);
  }
  std::string call(int depth) {
    std::string text = one_of(random_, functions_) + "(";
    const std::size_t count = pick(5);
    for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? ", " : "") + make(depth - 1);
    return text + ")";
  }
  std::string lambda(int depth) {
    static constexpr std::array kOne = {"transform", "filter", "exists", "forall"};
    const std::string list = chance(2) ? "n" : make(depth - 1);
    switch (pick(3)) {
      case 0:
        return "aggregate(" + list + ", " + make(0) + ", (acc, x) -> acc " + operation() + " x)";
      case 1:
        return "zip_with(" + list + ", n, (x, y) -> " + make(depth - 1) + " " + operation() + " y)";
      default:
        return std::string(one_of(random_, kOne)) + "(" + list + ", x -> x " + operation() + " " +
               make(depth - 1) + ")";
    }
  }

  Random& random_;
  std::vector<std::string> functions_;
};

TEST(fuzz, random_expressions_bind_or_say_why_and_never_crash) {
  const auto input = tables();
  const auto rows = input.rows("t");
  Random random(20'260'612);
  Expressions expressions(random);
  std::size_t bound_count = 0;
  for (std::size_t i = 0; i < rounds(20'000); ++i) {
    const std::string text = expressions.make(3);
    SCOPED_TRACE("round " + std::to_string(i) + ": " + text);
    if (std::getenv("TAILRACE_FUZZ_SHOW")) fprintf(stderr, "%s\n", text.c_str());
    const auto bound = bind_expression(text, rows->schema());
    if (!bound) {
      EXPECT_NE(bound.error().code, Code::kInternal) << bound.error().what;
      continue;
    }
    ++bound_count;
    for (const std::int64_t count : {0, 1, 3}) {
      engine::EvalContext context;
      context.now_us = 1'700'000'000'000'000;
      const auto made = engine::evaluate(**bound, *rows->Slice(3 - count, count), context);
      if (!made) continue;
      ASSERT_EQ((*made)->length(), count);
      ASSERT_TRUE((*made)->type()->Equals(*(*bound)->type))
          << (*made)->type()->ToString() << " is not " << (*bound)->type->ToString();
      const auto valid = (*made)->ValidateFull();
      ASSERT_TRUE(valid.ok()) << valid.ToString();
      for (const auto& fault : context.errors) ASSERT_LT(fault.row, count);
    }
  }
  EXPECT_GT(bound_count, rounds(20'000) / 20);
}

TEST(fuzz, random_tokens_are_sql_or_an_error) {
  static constexpr std::array kTokens = {"SELECT",
                                         "FROM",
                                         "t",
                                         "WHERE",
                                         "GROUP",
                                         "BY",
                                         "ORDER",
                                         "LIMIT",
                                         "(",
                                         ")",
                                         ",",
                                         ".",
                                         "*",
                                         "[",
                                         "]",
                                         "->",
                                         "x",
                                         "id",
                                         "1",
                                         "'a'",
                                         "AND",
                                         "NOT",
                                         "CASE",
                                         "WHEN",
                                         "THEN",
                                         "END",
                                         "JOIN",
                                         "ON",
                                         "USING",
                                         "LATERAL",
                                         "VIEW",
                                         "explode",
                                         "AS",
                                         "WITH",
                                         "UNION",
                                         "ALL",
                                         "DISTINCT",
                                         "window",
                                         "INTERVAL",
                                         "DAY",
                                         "CREATE",
                                         "STREAMING",
                                         "TABLE",
                                         "MATERIALIZED",
                                         "STREAM",
                                         "CAST",
                                         "ARRAY",
                                         "<",
                                         ">",
                                         "MAP",
                                         "::",
                                         "=",
                                         "LIKE",
                                         "ANY",
                                         "IN",
                                         "BETWEEN",
                                         "IS",
                                         "NULL",
                                         "OVER",
                                         "PARTITION",
                                         "EXCEPT",
                                         "`q`",
                                         "X'0'",
                                         "/*",
                                         "*/",
                                         "--",
                                         "\n",
                                         "\\",
                                         "'",
                                         "\"",
                                         "\xF0",
                                         "\x01",
                                         "TRIM",
                                         "BOTH",
                                         "EXTRACT",
                                         "YEAR",
                                         "timestampadd",
                                         "WATERMARK",
                                         "DELAY",
                                         "OF",
                                         "CONSTRAINT",
                                         "EXPECT",
                                         ";",
                                         "1e999",
                                         "-",
                                         "~",
                                         "@"};
  const auto input = tables();
  Random random(7);
  for (std::size_t i = 0; i < rounds(20'000); ++i) {
    std::string text = i % 2 ? "SELECT " : "";
    const std::size_t count = random() % 40;
    for (std::size_t k = 0; k < count; ++k) text += std::string(one_of(random, kTokens)) + " ";
    SCOPED_TRACE("round " + std::to_string(i) + ": " + text);
    const auto parsed = parse_query(text);
    if (parsed && parsed->kind == Statement::Kind::kSelect) {
      const auto bound = bind_query(*parsed, input);
      if (!bound) {
        EXPECT_NE(bound.error().code, Code::kInternal) << bound.error().what;
      }
    }
    (void)parse_pipeline(text, "p.sql");
  }
}

TEST(fuzz, deep_nesting_is_an_error_and_not_an_overflow) {
  const auto input = tables();
  static constexpr std::pair<const char*, const char*> kRepeated[] = {{"(", ")"},
                                                                      {"NOT ", ""},
                                                                      {"- ", ""},
                                                                      {"~", ""},
                                                                      {"f(", ")"},
                                                                      {"x -> ", ""},
                                                                      {"transform(n, x -> ", ")"},
                                                                      {"CASE WHEN ", ""},
                                                                      {"CASE ", ""},
                                                                      {"a[", "]"},
                                                                      {"array(", ")"},
                                                                      {"1 + ", ""},
                                                                      {"s || ", ""},
                                                                      {"ok AND ", ""},
                                                                      {"NOT ok OR ", ""},
                                                                      {"CAST(", ""},
                                                                      {"1 IN (", ")"},
                                                                      {"s LIKE ANY (", ")"},
                                                                      {"s.", ""},
                                                                      {"1 BETWEEN ", ""},
                                                                      {"(SELECT ", ")"},
                                                                      {"TRIM(BOTH ", ")"},
                                                                      {"OVERLAY(", ")"},
                                                                      {"EXTRACT(YEAR FROM ", ")"},
                                                                      {"INTERVAL ", ""},
                                                                      {"timestampadd(", ")"}};
  static constexpr std::pair<const char*, const char*> kQueries[] = {
      {"SELECT * FROM (", ")"},
      {"WITH a AS (", ")"},
      {"SELECT 1 UNION ALL ", ""},
      {"SELECT 1 UNION SELECT 1 UNION ALL ", ""},
      {"SELECT * FROM t JOIN (", ")"},
      {"SELECT CAST(1 AS ARRAY<", ">)"},
      {"(", ")"},
      {"SELECT * FROM t LATERAL VIEW explode(", ")"},
      {"SELECT * FROM t JOIN t ", ""},
      {"/*", "*/"}};
  for (const int depth : {200, 3'000, 100'000}) {
    const auto repeat = [&](const char* open, const char* close, const std::string& inside) {
      std::string text;
      for (int i = 0; i < depth; ++i) text += open;
      text += inside;
      for (int i = 0; i < depth; ++i) text += close;
      return text;
    };
    for (const auto& [open, close] : kRepeated) {
      SCOPED_TRACE(std::string(open) + " " + std::to_string(depth));
      const auto parsed = parse_query("SELECT " + repeat(open, close, "1") + " FROM t");
      if (parsed) {
        (void)bind_query(*parsed, input);
      } else {
        EXPECT_NE(parsed.error().code, Code::kInternal);
      }
    }
    for (const auto& [open, close] : kQueries) {
      SCOPED_TRACE(std::string(open) + " " + std::to_string(depth));
      const auto parsed = parse_query(repeat(open, close, "SELECT 1"));
      if (parsed) {
        (void)bind_query(*parsed, input);
      } else {
        EXPECT_NE(parsed.error().code, Code::kInternal);
      }
    }
    const std::string type = repeat("ARRAY<", ">", "INT");
    (void)bind_expression("from_json(s, 'a " + type + "')", input.rows("t")->schema());
    (void)bind_expression("date_format(at, '" + repeat("[", "]", "yyyy") + "')",
                          input.rows("t")->schema());
  }
}

}  // namespace
}  // namespace tailrace::sql
