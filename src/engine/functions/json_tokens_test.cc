// What is read token by token is what the parser of whole documents makes of it; and what it does
// not read is taken back.
#include "engine/functions/json_tokens.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/functions/json_columns.h"
#include "engine/functions/testing_expr.h"

namespace tailrace::engine {
namespace {

constexpr const char* kTypes =
    "i INT, l BIGINT, t TINYINT, f FLOAT, d DOUBLE, s STRING, b BOOLEAN, x BINARY, "
    "m DECIMAL(9,2), y DATE, z TIMESTAMP, a ARRAY<STRUCT<i: INT, s: STRING>>, n "
    "MAP<STRING,DOUBLE>, "
    "o STRUCT<s: STRING, o: STRUCT<i: BIGINT>>";

class Texts {
 public:
  explicit Texts(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t count) { return random_() % count; }

  std::string object(int depth) {
    std::string out = "{";
    const std::size_t count = below(7);
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out += ",";
      out += space() + "\"" + std::string(1, "iltfdsbxmyzanoqk"[below(16)]) + "\"" + space() + ":" +
             space() + value(depth) + space();
    }
    return out + "}";
  }
  std::string value(int depth) {
    static const char* const kValues[] = {"0",
                                          "-0",
                                          "1",
                                          "-7",
                                          "12345678901",
                                          "123456789012345678",
                                          "1234567890123456789",
                                          "18446744073709551615",
                                          "123456789012345678901",
                                          "1.5",
                                          "-0.0",
                                          "1e5",
                                          "1E+400",
                                          "2.50",
                                          "01",
                                          "1.",
                                          ".5",
                                          "-",
                                          "true",
                                          "false",
                                          "null",
                                          "tru",
                                          "nullx",
                                          "\"\"",
                                          "\"a\"",
                                          "\"Zoë\"",
                                          "\"a\\nb\"",
                                          "\"\\u00e9\"",
                                          "\"\\ud83d\\ude00\"",
                                          "\"\\ud83d\"",
                                          "\"\\q\"",
                                          "\"\\u0001#5\"",
                                          "\"2020-01-02\"",
                                          "\"2020-01-02T03:04:05Z\"",
                                          "\"NaN\"",
                                          "\"YWJj\"",
                                          "\"12.345\"",
                                          "\"a\\\\\"",
                                          "\"a\\\"b\"",
                                          "[]",
                                          "{}",
                                          "[1,2]",
                                          "[null]",
                                          "[{}",
                                          "[1,]"};
    if (depth > 0 && below(4) == 0) return object(depth - 1);
    if (depth > 0 && below(5) == 0) return "[" + object(depth - 1) + "," + object(depth - 1) + "]";
    return kValues[below(std::size(kValues))];
  }
  std::string space() { return below(6) == 0 ? std::string(1, " \n\t\r"[below(4)]) : ""; }

 private:
  std::mt19937_64 random_;
};

TEST(JsonTokens, what_is_read_is_what_a_parsed_document_has) {
  const Type type = parse_ddl_type(kTypes).value();
  auto read = JsonColumn::make(type, 0).value();
  auto parsed = JsonColumn::make(type, 0).value();
  Texts texts(7);
  int taken = 0;
  std::vector<std::string> all;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = texts.object(2);
    if (texts.below(8) == 0) text[texts.below(text.size())] = "{}[]\",:0 \x01\xC3"[texts.below(11)];
    JsonReader reader;  // a new one: it gives up for a while where little is plain
    if (!reader.append(*read, text)) {
      ASSERT_EQ(read->size(), parsed->size());
      continue;
    }
    ++taken;
    all.push_back(text);
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    ASSERT_EQ(parser.parse(text).get(root), simdjson::SUCCESS) << text;
    ASSERT_TRUE(parsed->append(root)) << text;
    if (taken % 500 == 0) {
      const Array one = read->finish().value(), other = parsed->finish().value();
      ASSERT_TRUE(one->ValidateFull().ok());
      for (std::int64_t row = 0; row < one->length(); ++row)
        ASSERT_EQ(one->GetScalar(row).ValueOrDie()->ToString(),
                  other->GetScalar(row).ValueOrDie()->ToString())
            << all[static_cast<std::size_t>(row)];
      all.clear();
    }
  }
  EXPECT_GT(taken, 20'000);
}

TEST(JsonTokens, plain_documents_are_read_without_a_tree) {
  const Type type = parse_ddl_type(kTypes).value();
  auto column = JsonColumn::make(type, 0).value();
  JsonReader reader;
  for (
      const char* text :
      {R"({"i":1,"l":-5,"t":7,"f":1.5,"d":2e3,"s":"a\n\u00e9","b":true,"m":1.25,"y":"2020-01-02"})",
       R"({ "z" : "2020-01-02T03:04:05Z" , "a" : [ { "i" : 1 } , null ], "n" : { "k" : 1 } })",
       R"({"o":{"s":null,"o":{"i":9}},"unknown":[{"x":[1,"2",null]}],"s":12})", "{}"})
    EXPECT_TRUE(reader.append(*column, text)) << text;
  for (const char* text : {R"({"i":1,"i":2})", R"({"x":"YWJj"})", R"({"i":1} 2)", R"({"i":"1"})"})
    EXPECT_FALSE(reader.append(*column, text)) << text;
  EXPECT_EQ(column->size(), 4);
}

}  // namespace
}  // namespace tailrace::engine
