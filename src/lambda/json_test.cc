// JSON read in place, held to nlohmann's reader: what is JSON, what a part of it is, what a string
// says.
#include "lambda/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace tailrace::lambda {
namespace {

using Other = nlohmann::json;

/// Every part of a value says the same to both readers.
void expect_same(const Json& ours, const Other& other) {
  ASSERT_EQ(Other::parse(ours.raw()), other);
  if (other.is_object()) {
    ASSERT_TRUE(ours.is_object());
    for (const auto& [name, value] : other.items()) {
      const auto found = ours.find(name);
      ASSERT_TRUE(found) << name;
      expect_same(*found, value);
    }
    EXPECT_FALSE(ours.find("there is no such name"));
  } else if (other.is_array()) {
    const auto items = ours.items();
    ASSERT_EQ(items.size(), other.size());
    for (std::size_t i = 0; i < items.size(); ++i) expect_same(items[i], other[i]);
  } else if (other.is_string()) {
    EXPECT_EQ(ours.string(), other.get<std::string>());
    std::string written;
    append_string(written, *ours.string());
    EXPECT_EQ(Other::parse(written), other);
  }
}

TEST(Json, texts_are_json_exactly_where_another_reader_says_so) {
  const char* texts[] = {
      "",
      " ",
      "1",
      " 1 ",
      "-",
      "-0",
      "01",
      "1.",
      "1.5",
      ".5",
      "1e",
      "1e5",
      "1E+05",
      "+1",
      "nan",
      "true",
      "tru",
      "truex",
      "null",
      "[",
      "[]",
      "[1,]",
      "[,1]",
      "[1 2]",
      "[1,2]",
      "{}",
      "{",
      "{\"a\"}",
      "{\"a\":}",
      "{\"a\":1,}",
      "{\"a\":1}",
      "{a:1}",
      "{\"a\":1 \"b\":2}",
      "\"a",
      "\"a\"",
      "\"\\x\"",
      "\"\\u12\"",
      "\"\\u00e9\"",
      "\"\t\"",
      "\"\\t\"",
      "1 2",
      "{\"a\":[{\"b\":null}]}",
      "\"\\ud83d\\ude00\"",
      "[[[[[]]]]]",
      "{\"a\":1,\"a\":2}",
      "\"\\\\\"",
      "\"\\\"\"",
      "[\"]\",\"}\"]",
  };
  for (const char* text : texts) {
    const auto json = Json::parse(text);
    ASSERT_EQ(json.has_value(), Other::accept(text)) << text;
    if (json) expect_same(*json, Other::parse(text));
  }
}

TEST(Json, damaged_events_are_json_exactly_where_another_reader_says_so) {
  const std::string whole =
      R"({"Records":[{"messageId":"m\u00e91","body":"{\"a\": [1, 2.5e3]}","n":-12,"x":[true]}]})";
  std::mt19937 random(7);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = whole;
    for (int changes = static_cast<int>(random() % 3); changes >= 0; --changes) {
      const std::size_t at = random() % text.size();
      constexpr std::string_view kBytes = "{}[]\",:\\ue019.-tn ";
      const char byte = kBytes[random() % kBytes.size()];
      if (random() % 2 == 0)
        text[at] = byte;
      else
        text.erase(at, random() % 4);
      if (text.empty()) text = "0";
    }
    // Half of a surrogate pair is a mark here and an error there; a number too large for a double
    // too.
    if (text.find("\\ud") != text.npos || !Other::accept(text)) {
      if (text.find("\\ud") == text.npos && Json::parse(text)) {
        FAIL() << text;
      }
      continue;
    }
    ++accepted;
    const auto json = Json::parse(text);
    ASSERT_TRUE(json) << text;
    expect_same(*json, Other::parse(text));
  }
  EXPECT_GT(accepted, 500);
}

TEST(Json, a_part_stays_letter_for_letter_as_it_came) {
  const auto json = Json::parse(R"({"a" : { "z":1.10 , "b":12345678901234567890123 } })");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->find("a")->raw(), R"({ "z":1.10 , "b":12345678901234567890123 })");
  EXPECT_EQ(json->follow({"a", "z"})->raw(), "1.10");
}

TEST(Json, what_is_nested_too_deep_is_refused_before_the_stack_ends) {
  const std::string deep(1'000'000, '[');
  EXPECT_FALSE(Json::parse(deep));
}

TEST(Json, half_a_surrogate_pair_is_a_mark) {
  EXPECT_EQ(Json::parse("\"a\\ud83db\"")->string(),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Json, bytes_that_are_no_text_are_written_as_marks) {
  std::string out;
  append_string(out, "a\xFF\xC3\xA9\x01\"");
  EXPECT_EQ(out, "\"a\xEF\xBF\xBD\xC3\xA9\\u0001\\\"\"");
}

TEST(Json, a_path_leads_through_names_and_places_in_lists) {
  const auto json = Json::parse(R"({"items":[{"id":"a"},{"id":7}],"x":{"y":null}})");
  EXPECT_EQ(at_path(*json, *parse_path("$.items[1].id"))->text(), "7");
  EXPECT_EQ(at_path(*json, *parse_path("$.items[0].id"))->text(), "a");
  EXPECT_FALSE(at_path(*json, *parse_path("$.items[2].id")));
  EXPECT_FALSE(at_path(*json, *parse_path("$.x.y.z")));
  for (const char* bad : {"", "a", "$a", "$.", "$.a.", "$[x]", "$[1", "$.a[]"})
    EXPECT_FALSE(parse_path(bad)) << bad;
}

}  // namespace
}  // namespace tailrace::lambda
