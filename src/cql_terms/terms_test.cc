// What is bound, and what is evaluated by hand: markers, nulls, unset values, masks, times, groups.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "cql_syntax/statement.h"
#include "cql_terms/selection.h"
#include "cql_types/text.h"
#include "cql_types/type_parser.h"

namespace tailrace::cql_terms {
namespace {

using cql_schema::ColumnKind;
using cql_types::Part;

TypePtr type_of(std::string_view text) {
  return cql_types::parse_type(text).value();
}

std::string bytes_of(std::string_view type, std::string_view text) {
  return cql_types::from_text(*type_of(type), text, 0).value();
}

cql_schema::Column column(std::string name, std::string_view type, ColumnKind kind) {
  cql_schema::Column made;
  made.name = std::move(name);
  made.type = type_of(type);
  made.kind = kind;
  return made;
}

cql_schema::Table table() {
  cql_schema::Table made;
  made.keyspace = "ks";
  made.name = "t";
  made.columns = {column("k", "int", ColumnKind::kPartitionKey),
                  column("c", "timestamp", ColumnKind::kClustering),
                  column("m", "map<text, int>", ColumnKind::kRegular),
                  column("v", "int", ColumnKind::kRegular),
                  column("x", "text", ColumnKind::kRegular)};
  made.columns[4].mask = cql_schema::Mask{"mask_inner", {"1", "null", "'#'"}};
  made.partition_columns = made.clustering_columns = 1;
  return made;
}

// A term of `INSERT … VALUES (term)`, with its markers.
struct PreparedTerm {
  explicit PreparedTerm(const std::string& text, std::string_view type) {
    statement = cql_syntax::parse("INSERT INTO t (v) VALUES (" + text + ")").value();
    scope.keyspace = "ks";
    scope.markers = &markers;
    scope.marker_names = &statement.markers;
    term = prepare(std::get<cql_syntax::Insert>(statement.body).values[0],
                   {"ks", "t", "v", type_of(type)}, scope);
  }
  cql_syntax::Statement statement;
  std::vector<ColumnSpec> markers;
  Scope scope;
  Outcome<TermPtr> term = cql_types::invalid("");
};

std::string told(const Outcome<Value>& value) {
  if (!value) return "!" + value.error().message;
  if (value->is_unset()) return "unset";
  return value->is_null() ? "null" : std::string(value->bytes);
}

std::string bound(const std::string& text, std::string_view type, std::vector<Value> values) {
  const PreparedTerm prepared(text, type);
  if (!prepared.term) return "!" + prepared.term.error().message;
  Bindings bindings;
  bindings.values = values;
  return told((*prepared.term)->bind(bindings));
}

TEST(Terms, a_marker_takes_its_value_null_or_nothing) {
  const auto five = bytes_of("int", "5");
  EXPECT_EQ(bound("?", "int", {Value::of(five)}), five);
  EXPECT_EQ(bound("?", "int", {Value{}}), "null");
  EXPECT_EQ(bound("?", "int", {Value::unset()}), "unset");
  EXPECT_EQ(bound("?", "int", {Value::of("abc")}), "!Expected 4 or 0 byte int (3)");
}

TEST(Terms, a_bound_set_comes_in_order_and_once) {
  std::string mixed, sorted;
  cql_types::append_count(mixed, 3);
  for (const char* text : {"b", "a", "b"}) cql_types::append_part(mixed, std::string_view(text));
  cql_types::append_count(sorted, 2);
  for (const char* text : {"a", "b"}) cql_types::append_part(sorted, std::string_view(text));
  EXPECT_EQ(bound("?", "set<text>", {Value::of(mixed)}), sorted);
  EXPECT_EQ(bound("?", "set<text>", {Value::of(sorted)}), sorted);
  EXPECT_EQ(PreparedTerm("?", "set<text>").term.value()->marker(), -1);
  EXPECT_EQ(PreparedTerm("?", "list<text>").term.value()->marker(), 0);
}

TEST(Terms, unset_values_are_refused_within_others) {
  const auto unset = std::vector{Value::unset()};
  EXPECT_EQ(bound("(?, 'a')", "tuple<int, text>", unset),
            "!Invalid unset value for tuple field number 0");
  EXPECT_EQ(bound("abs((int) ?)", "int", unset),
            "!Invalid unset value for argument in call to function abs");
  EXPECT_EQ(bound("[?, 1]", "vector<float, 2>", unset), "!null is not supported inside vectors");
}

TEST(Terms, only_a_null_that_is_written_is_a_null_literal) {
  EXPECT_TRUE(PreparedTerm("null", "int").term.value()->is_null_literal());
  EXPECT_FALSE(PreparedTerm("?", "int").term.value()->is_null_literal());
  EXPECT_FALSE(PreparedTerm("(int) null", "text").term.has_value());
}

TEST(Terms, now_is_told_by_the_bindings) {
  cql_types::TimeuuidSource source(3);
  Bindings bindings;
  bindings.now_us = 1'577'836'800'123'456;  // 2020-01-01
  bindings.timeuuids = &source;
  bindings.random = [] { return ~std::uint64_t{0}; };
  const auto told_by = [&](const std::string& text, std::string_view type) {
    return told(PreparedTerm(text, type).term.value()->bind(bindings));
  };
  EXPECT_EQ(told_by("current_date()", "date"), bytes_of("date", "2020-01-01"));
  EXPECT_EQ(told_by("currentTimestamp()", "timestamp"),
            bytes_of("timestamp", "2020-01-01T00:00:00.123Z"));
  EXPECT_EQ(told_by("current_time()", "time"), bytes_of("time", "00:00:00.123456"));
  EXPECT_EQ(told_by("to_date(now())", "date"), bytes_of("date", "2020-01-01"));
  EXPECT_EQ(told_by("uuid()", "uuid"), bytes_of("uuid", "ffffffff-ffff-4fff-bfff-ffffffffffff"));
  PreparedTerm constant("'now'", "timestamp");
  EXPECT_EQ(told(constant.term.value()->bind(bindings)), std::string(8, '\0'));
}

// Rows of k, c, m, v, x; v's cell has a time to live.
class Rows : public ::testing::Test {
 protected:
  std::string row(const std::string& select, std::vector<Part> values, bool unmask = true) {
    const auto statement = cql_syntax::parse(select).value();
    scope_.keyspace = "ks";
    scope_.unmask = unmask;
    const auto selection =
        cql_terms::select(std::get<cql_syntax::Select>(statement.body), table_, scope_);
    if (!selection) return "!" + selection.error().message;
    const auto evaluation = (*selection)->evaluate(bindings_);
    std::string out;
    if (const auto begun = evaluation->begin(); !begun) return "!" + begun.error().message;
    std::vector<InputValue> input;
    for (const auto& fetched : (*selection)->fetched())
      input.push_back(
          {values[static_cast<std::size_t>(fetched.column)],
           fetched.cells ? std::span<const CellTime>(cells_) : std::span<const CellTime>()});
    const auto done = evaluation->row(input, out);
    if (!done) return "!" + done.error().message;
    cql_types::TupleReader reader(out);
    Part first;
    reader.next(first);
    return first ? std::string(*first) : "null";
  }

  cql_schema::Table table_ = table();
  Scope scope_;
  Bindings bindings_;
  std::vector<CellTime> cells_ = {{1'234, 60}};
};

TEST_F(Rows, columns_with_a_mask_are_selected_through_it) {
  const std::vector<Part> values = {std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                                    "secret"};
  EXPECT_EQ(row("SELECT x FROM t", values), "secret");
  EXPECT_EQ(row("SELECT x FROM t", values, false), "s#####");
  EXPECT_EQ(row("SELECT JSON x FROM t", values, false), R"({"x": "s#####"})");
  EXPECT_EQ(row("SELECT x + '!' FROM t", values, false), "s#####!");
}

TEST_F(Rows, what_is_left_of_a_time_to_live_is_told) {
  const auto five = bytes_of("int", "5");
  const std::vector<Part> values = {std::nullopt, std::nullopt, std::nullopt, five, std::nullopt};
  EXPECT_EQ(row("SELECT ttl(v) FROM t", values), bytes_of("int", "60"));
  EXPECT_EQ(row("SELECT writetime(v) FROM t", values), bytes_of("bigint", "1234"));
  cells_ = {{1'234, 0}};
  EXPECT_EQ(row("SELECT ttl(v) FROM t", values), "null");
}

TEST_F(Rows, constants_are_refused_before_the_first_row) {
  EXPECT_EQ(row("SELECT (int) 1 / (int) 0 FROM t", {}),
            "!the operation 'int / int' failed: / by zero");
  const std::vector<Value> nulls = {Value{}};
  bindings_.values = nulls;
  EXPECT_EQ(row("SELECT m[?] FROM t", {}), "!Invalid null value for element selection on m");
}

TEST_F(Rows, plain_selections_are_columns_each_once) {
  const auto is_plain = [&](const std::string& text) {
    const auto statement = cql_syntax::parse(text).value();
    return cql_terms::select(std::get<cql_syntax::Select>(statement.body), table_, scope_)
        .value()
        ->plain();
  };
  EXPECT_TRUE(is_plain("SELECT * FROM t"));
  EXPECT_TRUE(is_plain("SELECT v, k AS x FROM t"));
  EXPECT_FALSE(is_plain("SELECT v, v FROM t"));
  EXPECT_FALSE(is_plain("SELECT JSON * FROM t"));
  scope_.unmask = false;
  EXPECT_FALSE(is_plain("SELECT * FROM t"));
  EXPECT_TRUE(is_plain("SELECT k, v FROM t"));
}

TEST_F(Rows, groups_begin_anew_and_without_rows_count_nothing) {
  const auto statement = cql_syntax::parse("SELECT count(*), v, max(v) FROM t").value();
  const auto selection =
      cql_terms::select(std::get<cql_syntax::Select>(statement.body), table_, scope_).value();
  const auto evaluation = selection->evaluate(bindings_);
  const auto group = [&](std::vector<std::string> numbers) {
    std::string out, expected;
    for (const auto& number : numbers) {
      const auto bytes = bytes_of("int", number);
      const InputValue input[] = {{Part(bytes)}};
      EXPECT_TRUE(evaluation->row(input, out));
    }
    EXPECT_TRUE(evaluation->end_group(out));
    return out;
  };
  const auto wanted = [](std::string count, Part first, Part most) {
    std::string out;
    cql_types::append_part(out, bytes_of("bigint", count));
    cql_types::append_part(out, first);
    cql_types::append_part(out, most);
    return out;
  };
  const auto one = bytes_of("int", "1"), seven = bytes_of("int", "7");
  EXPECT_EQ(group({"1", "7", "3"}), wanted("3", one, seven));
  EXPECT_EQ(group({}), wanted("0", std::nullopt, std::nullopt));
  EXPECT_EQ(group({"7"}), wanted("1", seven, seven));
}

TEST_F(Rows, group_by_takes_columns_of_the_key_and_monotonic_functions) {
  const auto grouped = [&](const std::string& text) -> std::string {
    const auto statement = cql_syntax::parse("SELECT k FROM t GROUP BY " + text).value();
    const auto made =
        group_by(std::get<cql_syntax::Select>(statement.body).group_by[0], table_, scope_);
    return made ? to_cql(*(*made)->columns()->at(0).type) : "!" + made.error().message;
  };
  EXPECT_EQ(grouped("k"), "int");
  EXPECT_EQ(grouped("floor(c, 1h)"), "timestamp");
  EXPECT_EQ(grouped("v"),
            "!Group by is currently only supported on the columns of the PRIMARY KEY, got v");
  EXPECT_EQ(grouped("abs(k)"),
            "!Group by functions are only supported on clustering columns, got k");
  EXPECT_EQ(grouped("min_timeuuid(c)"),
            "!Only monotonic functions are supported in the GROUP BY clause. Got: "
            "system.min_timeuuid : (timestamp) -> timeuuid ");
  EXPECT_EQ(grouped("max(c)"),
            "!Aggregate functions are not supported within the GROUP BY clause, got: system.max");
  EXPECT_EQ(grouped("uuid()"),
            "!GROUP BY functions must have one clustering column name as parameter");
}

}  // namespace
}  // namespace tailrace::cql_terms
