// What is a JSON document: the rule, its limits, and that the fast way and the exact one agree.
// tests/real/test_json_values.py asks real Spark about the same and more values.
#include <gtest/gtest.h>

#include <random>

#include "engine/functions/json_scan.h"

namespace tailrace::engine {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string nested(std::size_t depth) {
  return repeated("[", depth) + repeated("]", depth);
}

const std::string kSound[] = {
    "{}",
    "[]",
    "0",
    "-0",
    "null",
    " \t\r\n{\"a\":[1,{\"b\":\"\\ud83d\\ude00 \\u0000\"}]} \n",
    "{\"a\":1,\"a\":2}",
    "{\"\":1}",
    "1E+400",
    "1e-99999999999",
    "123456789012345678901234567890",
    "{\"a\":18446744073709551616,\"b\":[1e400]}",
    "\"\x7f\xf0\x9f\x98\x80\xe2\x80\xa8\"",
    nested(kJsonMaxDepth),
    repeated("1", kJsonMaxNumberDigits),
    "{\"" + repeated("n", kJsonMaxName) + "\":1}",
    "\"" + repeated("1", 200'000) + "\"",
};

const std::string kFaulty[] = {
    "",
    " ",
    "{",
    "[1,2",
    "{\"a\":1} x",
    "{\"a\":1}{}",
    "1,2",
    "{\"a\":1e400} x",
    "{\"a\":18446744073709551616}]",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "{1:2}",
    "[1 2]",
    "[1,]",
    "NaN",
    "-Infinity",
    "01",
    "+1",
    "1.",
    ".5",
    "1e",
    "-",
    "0x10",
    "True",
    "nul",
    "'a'",
    "\"a",
    "\"\\x\"",
    "\"\\u12g4\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "{\"\\ud83dx\":1}",
    "\"\n\"",
    std::string("{}\0", 3),
    "\xef\xbb\xbf{}",
    "\"\xff\"",
    "\"\xed\xa0\x80\"",
    "\"\xc0\x80\"",
    "\"\xe2\x82",
    "/* c */ {}",
    nested(kJsonMaxDepth + 1),
    nested(5000),
    repeated("[", 200),
    repeated("1", kJsonMaxNumberDigits + 1),
    "[" + repeated("0", 3) + "." + repeated("7", 1200) + "]",
    "{\"" + repeated("n", kJsonMaxName + 1) + "\":1}",
};

TEST(JsonCheck, takes_one_document_and_nothing_else) {
  JsonChecker checker;
  for (const std::string& text : kSound)
    EXPECT_EQ(checker.check(text).has_value(), false) << text.substr(0, 80);
  for (const std::string& text : kFaulty)
    EXPECT_EQ(checker.check(text).has_value(), true) << text.substr(0, 80);
}

TEST(JsonCheck, a_fault_names_its_byte) {
  JsonChecker checker;
  const auto byte = [&](std::string_view text) { return checker.check(text)->byte; };
  EXPECT_EQ(byte("{\"a\":1} x"), 8U);
  EXPECT_EQ(byte("{\"a\":tru}"), 5U);
  EXPECT_EQ(byte("[1,2"), 4U);
  EXPECT_EQ(byte("[\"ok\",\"\xff\"]"), 7U);
  EXPECT_EQ(checker.check("[1,2")->what, "the text ends too early");
}

// Sound and faulty texts with a few bytes changed, cut or doubled: faults of every kind.
TEST(JsonCheck, the_fast_way_and_the_exact_one_agree_on_damaged_texts) {
  JsonChecker checker;
  std::mt19937 random(7);
  const std::string_view bytes = "{}[]\":,\\u0d8-+.eE19tn \t\n\x01\x80\xc3\xed\xf0/";
  const auto below = [&](std::size_t bound) { return random() % bound; };
  for (int round = 0; round < 100'000; ++round) {
    std::string text = kSound[below(std::size(kSound))];
    if (text.size() > 2500) continue;
    for (std::size_t i = 0; i <= below(3); ++i) {
      const std::size_t at = below(text.size() + 1);
      switch (below(3)) {
        case 0:
          text.insert(at, 1, bytes[below(bytes.size())]);
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, text.substr(at, below(4)));
      }
      if (text.empty()) text = " ";
    }
    ASSERT_EQ(checker.check(text).has_value(), scan_json(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tailrace::engine
