// CEL: what parses, what its expressions give, and that no text harms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "schema/cel/program.h"
#include "schema/cel/times.h"

namespace tailrace::schema::cel {
namespace {

using ::testing::HasSubstr;

/// The value's text, or the error's.
std::string shown(const Result<Value>& value) {
  if (!value) return value.error().what;
  if (const bool* truth = value->get<bool>()) return *truth ? "true" : "false";
  if (const auto* number = value->get<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = value->get<std::uint64_t>()) return std::to_string(*number) + "u";
  if (const auto* text = value->get<std::string>()) return "'" + *text + "'";
  if (const auto* time = value->get<Timestamp>()) return text_of(*time);
  if (const auto* span = value->get<Duration>()) return text_of(*span);
  if (const List* list = value->list()) {
    std::string all = "[";
    for (const Value& one : *list) all += (all.size() > 1 ? ", " : "") + shown(one);
    return all + "]";
  }
  return value->type_name();
}

std::string result(std::string_view text) {
  auto program = Program::compile(text, {}, false);
  if (!program) return program.error().what;
  return shown(program->evaluate({}));
}

Type order_type() {
  const Type item = arrow::struct_({arrow::field("sku", arrow::utf8())});
  return arrow::struct_({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8()),
                         arrow::field("price", arrow::float64()),
                         arrow::field("at", timestamp_type()),
                         arrow::field("items", arrow::list(item))});
}

Value order() {
  Record item{{{"sku", Value(std::string("a-1"))}}};
  return Value::record({{{"id", Value(std::int64_t{7})},
                         {"name", Value()},
                         {"price", Value(2.5)},
                         {"at", Value(Timestamp{1'600'000'000, 0})},
                         {"items", Value::list({Value::record(item)})}}});
}

/// Of an order as `message`.
std::string of_order(std::string_view text) {
  auto program = Program::compile(text, {{"message", order_type()}}, true);
  if (!program) return program.error().what;
  const Value message = order();
  const Binding bindings[] = {{"message", &message}};
  return shown(program->evaluate(bindings));
}

TEST(cel, operators_bind_as_the_specification_says) {
  EXPECT_EQ(result("1 + 2 * 3 == 7 && !(1 > 2) || false"), "true");
  EXPECT_EQ(result("-5 / 2"), "-2");
  EXPECT_EQ(result("-5 % 3"), "-2");
  EXPECT_EQ(result("true ? 1 : false ? 2 : 3"), "1");
  EXPECT_EQ(result("2 in [1, 2u, 3]"), "true");
  EXPECT_EQ(result("-9223372036854775808"), "-9223372036854775808");
}

TEST(cel, what_is_not_needed_may_be_wrong) {
  EXPECT_EQ(result("true || 1 / 0 > 0"), "true");
  EXPECT_EQ(result("1 / 0 > 0 && false"), "false");
  EXPECT_EQ(result("[1, 0].exists(x, 1 / x == 1)"), "true");
  EXPECT_EQ(result("1 / 0 > 0 || false"), "1:3: divide by zero");
  EXPECT_EQ(result("[0, 1].all(x, 1 / x == 1)"), "1:17: divide by zero");
}

TEST(cel, macros_go_through_lists_and_keys) {
  EXPECT_EQ(result("[1, 2, 3].filter(x, x > 1).map(y, y * y)"), "[4, 9]");
  EXPECT_EQ(result("[1, 2, 3].map(x, x != 2, x + 1)"), "[2, 4]");
  EXPECT_EQ(result("{'a': 1, 'b': 2}.all(k, k in ['a', 'b'])"), "true");
  EXPECT_EQ(result("[1, 1].exists_one(x, x == 1)"), "false");
  EXPECT_EQ(result("[[1], [2]].all(x, x.exists(x, x > 0))"), "true");
}

TEST(cel, texts_are_counted_in_characters) {
  EXPECT_EQ(result("size('πέντε')"), "5");
  EXPECT_EQ(result("'πέντε'.substring(1, 3)"), "'έν'");
  EXPECT_EQ(result("'a,b,c'.split(',', 2)"), "['a', 'b,c']");
  EXPECT_EQ(result("'hubba'.matches('^hu+')"), "true");
  EXPECT_EQ(result(R"("\u00e9\x41\101" == 'éAA')"), "true");
  EXPECT_EQ(result(R"(r'\n'.size())"), "2");
  EXPECT_EQ(result("'x'.matches('(')"), "1:5: no regular expression: missing ): (");
}

TEST(cel, times_are_counted_exactly) {
  EXPECT_EQ(result("timestamp('2020-02-28T23:59:59.5Z') + duration('1.5s')"),
            "2020-02-29T00:00:01Z");
  EXPECT_EQ(result("timestamp('2009-02-13T23:31:30Z').getHours('+02:00')"), "1");
  EXPECT_EQ(result("timestamp('2009-13-13T23:31:30Z')"),
            "1:1: the text is no timestamp of RFC 3339, or out of range");
  EXPECT_EQ(result("timestamp('9999-12-31T23:59:59Z') + duration('1s')"),
            "1:35: a timestamp out of range");
}

TEST(cel, numbers_do_not_overflow_in_silence) {
  EXPECT_THAT(result("9223372036854775807 + 1"), HasSubstr("overflow"));
  EXPECT_THAT(result("-(-9223372036854775808)"), HasSubstr("overflow"));
  EXPECT_THAT(result("0u - 1u"), HasSubstr("overflow"));
  EXPECT_THAT(result("9223372036854775808"), HasSubstr("no int of 64 bits"));
}

TEST(cel, forms_of_confluents_rules_are_known) {
  EXPECT_EQ(result("'a@example.com'.isEmail() && !'a'.isEmail()"), "true");
  EXPECT_EQ(result("'fa02a430-892f-4160-97cd-6e3d1bc14494'.isUuid()"), "true");
  EXPECT_EQ(result("'127.0.0.1'.isIpv4() && '::1'.isIpv6() && !'256.0.0.1'.isIpv4()"), "true");
  EXPECT_EQ(result("'http://a/b'.isUri() && '/b'.isUriRef() && !'/b'.isUri()"), "true");
}

TEST(cel, a_record_is_checked_before_it_is_asked) {
  EXPECT_EQ(of_order("message.id > 5 && message.items.all(i, i.sku.startsWith('a'))"), "true");
  EXPECT_EQ(of_order("has(message.price) && !has(message.name) && message.name == null"), "true");
  EXPECT_EQ(of_order("message.at < timestamp('2021-01-01T00:00:00Z')"), "true");
  EXPECT_EQ(of_order("message.nam == 'x'"),
            "1:9: there is no field `nam`; there are: id, name, price, at, items");
  EXPECT_EQ(of_order("message.id == 'x'"), "1:12: int is never string");
  EXPECT_EQ(of_order("message.items.all(i, i.sku > 3)"), "1:28: string and int have no order");
  EXPECT_EQ(of_order("message.id"), "1:9: a condition is a bool, not int");
  EXPECT_EQ(of_order("mesage.id > 1"), "1:1: there is no `mesage`; there are: message");
  EXPECT_EQ(of_order("message.name.size() > 1"), "1:14: no such overload: size(null_type)");
  EXPECT_EQ(of_order("message.id.nothing()"), "1:12: there is no function nothing()");
}

TEST(cel, a_fault_names_its_line_and_column) {
  EXPECT_EQ(result("1 +\n  * 2"), "2:3: an expression is expected here, not `*`");
  EXPECT_EQ(result("'abc"), "1:1: the quote is not closed");
  EXPECT_EQ(result("a.b{c: 1}"), "1:4: the end is expected here, not `{`");
  EXPECT_EQ(result("while"), "1:1: `while` is a reserved word");
}

TEST(cel, texts_too_large_or_deep_are_refused) {
  EXPECT_THAT(result(std::string(kMaxTextBytes + 1, ' ')), HasSubstr("more than 65536 bytes"));
  EXPECT_THAT(result(std::string(5000, '(') + "1"), HasSubstr("deeper than 100 levels"));
  EXPECT_THAT(result(std::string(5000, '-') + "x"), HasSubstr("deeper than 100 levels"));
  std::string list = "[0";
  for (int i = 0; i < 6000; ++i) list += ",0";
  EXPECT_THAT(result(list + "]"), HasSubstr("more than 5000 parts"));
  std::string row = "1";
  for (int i = 0; i < 200; ++i) row += "+1";
  EXPECT_THAT(result(row), HasSubstr("more than 100 terms in a row"));
}

TEST(cel, an_expression_without_end_is_stopped) {
  std::string range = "[0,1,2,3,4,5,6,7,8,9]", text = "true";
  for (int i = 0; i < 8; ++i) text = range + ".all(x, " + text + ")";
  EXPECT_EQ(result(text), "more than 1000000 steps");
  std::string doubled = "['0123456789']";
  for (int i = 0; i < 40; ++i) doubled += ".map(x, x + x)";
  EXPECT_EQ(result(doubled), "a value of more than 16 MiB");
}

TEST(cel, random_texts_are_values_or_an_error) {
  const char* asked = std::getenv("TAILRACE_FUZZ_ROUNDS");
  const std::size_t rounds = asked ? static_cast<std::size_t>(std::atoll(asked)) : 20'000;
  std::mt19937_64 source(11);
  const auto below = [&](std::size_t count) { return static_cast<std::size_t>(source() % count); };
  constexpr std::string_view kParts[] = {"message",
                                         ".",
                                         "id",
                                         "name",
                                         "items",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         "{",
                                         "}",
                                         ",",
                                         ":",
                                         "?",
                                         "1",
                                         "2u",
                                         "0.5",
                                         "'a'",
                                         "b'x'",
                                         "true",
                                         "null",
                                         "&&",
                                         "||",
                                         "==",
                                         "!=",
                                         "<",
                                         "in",
                                         "+",
                                         "-",
                                         "*",
                                         "/",
                                         "%",
                                         "!",
                                         "all",
                                         "map",
                                         "x",
                                         "size",
                                         "\\",
                                         "\"",
                                         "matches",
                                         "has",
                                         " ",
                                         "exists",
                                         "timestamp",
                                         "`a`",
                                         ";",
                                         "9223372036854775807"};
  std::size_t taken = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::string text;
    for (std::size_t i = 1 + below(12); i > 0; --i) {
      if (below(30) == 0)
        text += static_cast<char>(below(256));
      else
        text += kParts[below(std::size(kParts))];
    }
    auto program = Program::compile(text, {{"message", order_type()}, {"x"}}, false);
    if (!program) continue;
    ++taken;
    const Value message = order(), x(std::int64_t{3});
    const Binding bindings[] = {{"message", &message}, {"x", &x}};
    const auto value = program->evaluate(bindings);
    EXPECT_TRUE(value || !value.error().what.empty()) << text;
  }
  EXPECT_GT(taken, rounds / 200);
}

}  // namespace
}  // namespace tailrace::schema::cel
