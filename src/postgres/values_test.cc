// PostgreSQL's texts as JSON, flat and as Debezium has them.
#include "postgres/values.h"

#include <gtest/gtest.h>

namespace tailrace::postgres {
namespace {

std::string json(std::string_view text, std::uint32_t oid, ValueStyle style = ValueStyle::kFlat,
                 std::int32_t modifier = -1) {
  std::string out;
  append_value(out, text, built_in_type(Oid(oid), modifier).value(), style);
  return out;
}
std::string debezium(std::string_view text, std::uint32_t oid, std::int32_t modifier = -1) {
  return json(text, oid, ValueStyle::kDebezium, modifier);
}

constexpr std::uint32_t kBool = 16, kBytea = 17, kInt8 = 20, kText = 25, kJson = 114, kFloat8 = 701,
                        kDate = 1082, kTime = 1083, kTimestamp = 1114, kTimestampTz = 1184,
                        kNumeric = 1700, kTextArray = 1009, kInt4Array = 1007, kJsonArray = 199;

TEST(Values, numbers_keep_their_digits) {
  EXPECT_EQ(json("9223372036854775807", kInt8), "9223372036854775807");
  EXPECT_EQ(json("1e+20", kFloat8), "1e+20");
  EXPECT_EQ(json("NaN", kFloat8), "\"NaN\"");
  EXPECT_EQ(json("-Infinity", kFloat8), "\"-Infinity\"");
  EXPECT_EQ(json("12.50", kNumeric), "12.50");
  EXPECT_EQ(debezium("12.50", kNumeric), "\"12.50\"");
}

TEST(Values, texts_are_escaped) {
  EXPECT_EQ(json("a\"b\\c\nd\x01é", kText), "\"a\\\"b\\\\c\\nd\\u0001é\"");
  EXPECT_EQ(json("t", kBool), "true");
  EXPECT_EQ(json("\\x00ff10", kBytea), "\"AP8Q\"");
  EXPECT_EQ(json("{\"a\": [1]}", kJson), "{\"a\": [1]}");
  EXPECT_EQ(debezium("{\"a\":1}", kJson), "\"{\\\"a\\\":1}\"");
}

TEST(Values, moments_are_iso_8601) {
  EXPECT_EQ(json("2024-01-31", kDate), "\"2024-01-31\"");
  EXPECT_EQ(json("2024-01-31 12:30:00.5", kTimestamp), "\"2024-01-31T12:30:00.5\"");
  EXPECT_EQ(json("2024-01-31 12:30:00+00", kTimestampTz), "\"2024-01-31T12:30:00Z\"");
  EXPECT_EQ(json("infinity", kTimestampTz), "\"infinity\"");
  EXPECT_EQ(json("0044-03-15 12:00:00 BC", kTimestamp), "\"0044-03-15 12:00:00 BC\"");
}

TEST(Values, debeziums_moments_are_numbers) {
  EXPECT_EQ(debezium("1970-01-02", kDate), "1");
  EXPECT_EQ(debezium("1969-12-31", kDate), "-1");
  EXPECT_EQ(debezium("2024-02-29", kDate), "19782");
  EXPECT_EQ(debezium("294276-12-31", kDate), "106762939");
  EXPECT_EQ(debezium("00:00:01.5", kTime), "1500000");
  EXPECT_EQ(debezium("00:00:01.5", kTime, 3), "1500");
  EXPECT_EQ(debezium("1970-01-01 00:00:01", kTimestamp), "1000000");
  EXPECT_EQ(debezium("1969-12-31 23:59:59.999", kTimestamp, 3), "-1");
  EXPECT_EQ(debezium("infinity", kDate), "\"infinity\"");
}

TEST(Values, arrays_nest_and_quote) {
  EXPECT_EQ(json("{}", kInt4Array), "[]");
  EXPECT_EQ(json("{1,NULL,3}", kInt4Array), "[1,null,3]");
  EXPECT_EQ(json("{{1,2},{3,4}}", kInt4Array), "[[1,2],[3,4]]");
  EXPECT_EQ(json("[0:1]={7,8}", kInt4Array), "[7,8]");
  EXPECT_EQ(json(R"({a,"b,\"c\\","NULL",""})", kTextArray), R"(["a","b,\"c\\","NULL",""])");
  EXPECT_EQ(json(R"({"{\"a\": 1}"})", kJsonArray), R"([{"a": 1}])");
}

TEST(Values, what_is_no_array_is_its_text) {
  for (const char* wrong : {"{", "{1", "{1,}", "{1}}", "1", "{\"a", "[0:1={1}"}) {
    const std::string out = json(wrong, kInt4Array);
    EXPECT_EQ(out.front(), '"') << wrong << " gives " << out;
  }
}

}  // namespace
}  // namespace tailrace::postgres
