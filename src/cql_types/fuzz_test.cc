// Random texts and bytes: no text makes a parser crash or hang, bytes that validate() takes are
// written and compared without fault, and their keys keep their order. TAILRACE_FUZZ_ROUNDS makes
// it longer; a failure prints what was given.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "cql_types/class_name.h"
#include "cql_types/compare.h"
#include "cql_types/json.h"
#include "cql_types/option.h"
#include "cql_types/sort_key.h"
#include "cql_types/testing/types.h"
#include "cql_types/text.h"
#include "cql_types/validate.h"

namespace tailrace::cql_types {
namespace {

std::size_t rounds(std::size_t usual) {
  const char* text = std::getenv("TAILRACE_FUZZ_ROUNDS");
  return text ? static_cast<std::size_t>(std::atoll(text)) : usual;
}

std::size_t below(std::mt19937_64& random, std::size_t limit) {
  return random() % limit;
}

std::string some_of(std::mt19937_64& random, std::string_view letters, std::size_t most) {
  std::string text;
  for (auto n = below(random, most + 1); n > 0; --n) text += letters[below(random, letters.size())];
  return text;
}

std::string damaged(std::mt19937_64& random, std::string text) {
  for (auto n = 1 + below(random, 3); n > 0; --n) {
    const auto at = below(random, text.size() + 1);
    if (below(random, 2) == 0)
      text.insert(at, 1, static_cast<char>(random()));
    else if (at < text.size())
      text[at] = static_cast<char>(below(random, 2) == 0 ? random() : 0xFF);
  }
  if (below(random, 4) == 0) text.resize(below(random, text.size() + 1));
  return text;
}

constexpr const char* kTypes[] = {"ascii",
                                  "bigint",
                                  "blob",
                                  "boolean",
                                  "date",
                                  "decimal",
                                  "double",
                                  "duration",
                                  "float",
                                  "inet",
                                  "int",
                                  "smallint",
                                  "text",
                                  "time",
                                  "timestamp",
                                  "timeuuid",
                                  "tinyint",
                                  "uuid",
                                  "varint",
                                  "frozen<list<decimal>>",
                                  "frozen<map<text, frozen<set<inet>>>>",
                                  "tuple<int, text, timeuuid>",
                                  "frozen<address>",
                                  "vector<float, 3>",
                                  "vector<text, 2>",
                                  "vector<vector<varint, 2>, 2>"};

TEST(fuzz, random_texts_are_types_or_an_error) {
  std::mt19937_64 random(1);
  constexpr std::string_view kWords[] = {"list<", "map<", "frozen<", "tuple<",  "vector<",
                                         ">",     ", ",   "int",     "address", "text",
                                         "3",     "\"",   "'",       ".",       "ks"};
  std::size_t taken = 0;
  for (std::size_t i = 0; i < rounds(20'000); ++i) {
    std::string text;
    for (auto n = below(random, 10); n > 0; --n) text += kWords[below(random, std::size(kWords))];
    if (below(random, 3) == 0) text = damaged(random, std::move(text));
    const auto type = testing::parse(text);
    (void)parse_class_name(text);
    if (!type) continue;
    ++taken;
    EXPECT_EQ(*testing::parse(to_cql(**type)).value(), **type) << text;
    const auto name = to_class_name(**type);
    const auto again = parse_class_name(name).value().type;
    const auto of_again = to_class_name(*again);
    EXPECT_EQ(to_class_name(*parse_class_name(of_again).value().type), of_again) << text;
    (void)parse_class_name(damaged(random, name));
    std::string option;
    ASSERT_TRUE(append_option(option, **type, 5));
    option = damaged(random, std::move(option));
    std::string_view rest = option;
    (void)take_option(rest, 5);
  }
  EXPECT_GT(taken, rounds(20'000) / 100);
}

TEST(fuzz, random_texts_are_values_or_an_error) {
  std::mt19937_64 random(2);
  std::size_t taken = 0;
  for (std::size_t i = 0; i < rounds(60'000); ++i) {
    const auto type = testing::parse(kTypes[below(random, std::size(kTypes))]).value();
    const auto text = some_of(random, "0123456789-+:.TZ PYMDHSeE\"[]{},xafnul\\", 14);
    const auto bytes = from_text(*type, text, 0);
    const auto of_json = from_json(*type, text, 0);
    if (of_json && *of_json && !(*of_json)->empty()) {
      EXPECT_TRUE(validate(*type, **of_json)) << to_cql(*type) << " " << text;
    }
    if (!bytes || bytes->empty() || !is_native(type->kind)) continue;
    ++taken;
    EXPECT_TRUE(validate(*type, *bytes)) << to_cql(*type) << " " << text;
    EXPECT_TRUE(to_text(*type, *bytes));
  }
  EXPECT_GT(taken, rounds(60'000) / 100);
}

TEST(fuzz, random_bytes_are_values_that_can_be_used_or_an_error) {
  std::mt19937_64 random(3);
  std::size_t taken = 0;
  for (std::size_t i = 0; i < rounds(60'000); ++i) {
    const auto type = testing::parse(kTypes[below(random, std::size(kTypes))]).value();
    const auto a = damaged(random, some_of(random, std::string_view("\0\0\0\1\2\4\377", 7), 24));
    const auto b = damaged(random, a);
    compare(*type, a, b);  // reads nothing beyond them, valid or not
    if (!validate(*type, a)) continue;
    ++taken;
    EXPECT_TRUE(to_literal(*type, a));
    EXPECT_TRUE(to_json(*type, a));
    if (!validate(*type, b)) continue;
    std::string x, y;
    ASSERT_TRUE(append_sort_key(x, *type, a, false));
    ASSERT_TRUE(append_sort_key(y, *type, b, false));
    EXPECT_EQ(compare(*type, a, b), std::weak_ordering(x.compare(y) <=> 0)) << to_cql(*type);
    x = damaged(random, std::move(x));
    std::string_view rest = x;
    (void)take_sort_key(rest, *type, below(random, 2) == 0);
  }
  EXPECT_GT(taken, rounds(60'000) / 100);
}

}  // namespace
}  // namespace tailrace::cql_types
