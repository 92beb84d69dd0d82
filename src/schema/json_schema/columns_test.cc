// Columns of JSON Schemas, in Spark's words.
#include "schema/json_schema/columns.h"

#include <gtest/gtest.h>

namespace tailrace::schema::json_schema {
namespace {

std::string columns(const std::string& text) {
  const auto made = columns_of(*JsonSchema::parse(text).value());
  if (!made) return made.error().what;
  return spark_name(*arrow::struct_((*made)->fields()));
}

TEST(json_columns, each_type_has_its_column) {
  EXPECT_EQ(columns(R"({"type":"object","properties":{"i":{"type":"integer"},"n":{"type":"number"},
      "s":{"type":"string"},"b":{"type":"boolean"},"t":{"type":"string","format":"date-time"},
      "d":{"type":"string","format":"date"},"a":{"type":"array","items":{"type":"integer"}},
      "o":{"properties":{"x":{"type":["null","string"]}}},"m":{"type":"object","additionalProperties":
      {"type":"number"}}}})"),
            "STRUCT<i: BIGINT, n: DOUBLE, s: STRING, b: BOOLEAN, t: TIMESTAMP, d: DATE, "
            "a: ARRAY<BIGINT>, o: STRUCT<x: STRING>, m: MAP<STRING, DOUBLE>>");
}

TEST(json_columns, what_is_of_no_one_type_is_json) {
  const auto made = columns_of(*JsonSchema::parse(R"({"properties":{"any":{},
      "two":{"type":["string","integer"]},"text":{"type":"string"},"self":{"$ref":"#"}}})")
                                    .value())
                        .value();
  for (const auto* name : {"any", "two", "self"}) {
    const auto field = made->GetFieldByName(name);
    EXPECT_EQ(field->type()->id(), arrow::Type::STRING);
    EXPECT_TRUE(field->HasMetadata());
  }
  EXPECT_FALSE(made->GetFieldByName("text")->HasMetadata());
}

TEST(json_columns, null_and_references_change_nothing) {
  EXPECT_EQ(columns(R"({"properties":{"a":{"$ref":"#/definitions/x"},
      "b":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/x"}]},"c":{"enum":["p","q",null]},
      "d":{"allOf":[{"properties":{"e":{"type":"integer"}}},{"properties":{"f":{"type":"null"}}}]}},
      "definitions":{"x":{"type":"integer"}}})"),
            "STRUCT<a: BIGINT, b: BIGINT, c: STRING, d: STRUCT<e: BIGINT, f: VOID>>");
  EXPECT_EQ(columns(R"({"type":"integer"})"), "STRUCT<value: BIGINT>");
}

TEST(json_columns, more_than_ten_thousand_are_refused) {
  std::string text = R"({"properties":{)";
  for (int i = 0; i < 10'001; ++i)
    text += (i > 0 ? ",\"c" : "\"c") + std::to_string(i) + R"(":{"type":"string"})";
  EXPECT_NE(columns(text + "}}").find("more than 10000 columns"), std::string::npos);
}

}  // namespace
}  // namespace tailrace::schema::json_schema
