// Avro schemas: what is taken, what is refused and how it is said, and every form they are printed
// in.
#include "schema/avro/avro_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/testing/thread_time.h"

namespace tailrace::schema::avro {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const AvroSchema> parsed(std::string_view text) {
  auto schema = AvroSchema::parse(text);
  EXPECT_TRUE(schema.has_value()) << schema.error().what;
  return schema ? *schema : nullptr;
}

std::string refusal(std::string_view text, Age age = Age::kNew) {
  const auto schema = AvroSchema::parse(text, {}, age);
  if (schema) return "taken";
  EXPECT_EQ(schema.error().code, Code::kInvalidArgument);
  return schema.error().what;
}

TEST(avro_schema, a_primitive_comes_back_as_its_name) {
  EXPECT_EQ(parsed(R"("string")")->canonical(), R"("string")");
  EXPECT_EQ(parsed(R"( {"type" : "string"} )")->canonical(), R"("string")");
  EXPECT_EQ(parsed(R"({"type":"string","x":1})")->canonical(), R"({"type":"string","x":1})");
}

TEST(avro_schema, the_canonical_text_orders_members_and_keeps_unknown_ones) {
  EXPECT_EQ(parsed(R"({"fields": [{"default": 1e10, "order": "ignore", "doc": "d", "type": "double",
      "name": "a", "unit": {"z": [1, null], "a": "\u001f\""}, "aliases": ["b"]}], "aliases": ["Q", "z.P"],
      "doc": "", "name": "x.R", "type": "record", "owner": true})")
                ->canonical(),
            R"({"type":"record","name":"R","namespace":"x","doc":"","fields":[)"
            R"({"name":"a","type":"double",)"
            R"("doc":"d","default":1.0E10,"order":"ignore","aliases":["b"],)"
            R"("unit":{"z":[1,null],)"
            R"("a":"\u001F\""}}],"owner":true,"aliases":["Q","z.P"]})");
}

TEST(avro_schema, a_name_is_written_out_once_and_short_in_its_namespace) {
  EXPECT_EQ(
      parsed(R"({"type":"record","name":"a.R","fields":[
      {"name":"e","type":{"type":"enum","name":"E","symbols":["A"]}},
      {"name":"f","type":"a.E"},
      {"name":"g","type":{"type":"fixed","name":"b.F","size":2}},
      {"name":"h","type":["null","R"]}]})")
          ->canonical(),
      R"({"type":"record","name":"R","namespace":"a","fields":[{"name":"e","type":{"type":"enum",)"
      R"("name":"E","symbols":["A"]}},{"name":"f","type":"E"},{"name":"g","type":{"type":"fixed",)"
      R"("name":"F","namespace":"b","size":2}},{"name":"h","type":["null","R"]}]})");
}

TEST(avro_schema, a_reference_is_used_by_name_and_not_written_out) {
  const std::vector<Reference> references = {
      {"street", R"({"type":"record","name":"a.Street","fields":[{"name":"n","type":"int"}]})"},
      {"city", R"({"type":"record","name":"a.City","fields":[{"name":"s","type":"a.Street"}]})"}};
  const auto schema = AvroSchema::parse(
      R"({"type":"record","name":"a.U","fields":[{"name":"c","type":"City"}]})", references);
  ASSERT_TRUE(schema.has_value()) << schema.error().what;
  EXPECT_EQ(
      (*schema)->canonical(),
      R"({"type":"record","name":"U","namespace":"a","fields":[{"name":"c","type":"City"}]})");
  EXPECT_THAT((*schema)->resolved(), HasSubstr(R"("name":"Street")"));
  EXPECT_THAT(refusal(R"({"type":"record","name":"a.U","fields":[{"name":"c","type":"City"}]})"),
              HasSubstr("at /fields/0/type: the type \"a.City\" is not defined"));
}

TEST(avro_schema, a_name_may_be_used_before_its_definition) {
  EXPECT_EQ(parsed(R"({"type":"record","name":"R","fields":[{"name":"a","type":"E"},
      {"name":"b","type":{"type":"enum","name":"E","symbols":["X"]}}]})")
                ->canonical(),
            R"({"type":"record","name":"R","fields":[{"name":"a","type":{"type":"enum","name":"E",)"
            R"("symbols":["X"]}},{"name":"b","type":"E"}]})");
}

TEST(avro_schema, the_parsing_form_and_fingerprint_are_the_specifications) {
  EXPECT_EQ(parsed(R"("null")")->fingerprint(), 0x63dd24e7cc258f8aU);
  EXPECT_EQ(parsed(R"({"type":"int"})")->fingerprint(), 0x7275d51a3f395c8fU);
  EXPECT_EQ(parsed(R"({"type":"fixed","name":"x.F","size":15,"doc":"no"})")->parsing_form(),
            R"({"name":"x.F","type":"fixed","size":15})");
}

TEST(avro_schema, normalizing_sorts_what_has_no_order) {
  EXPECT_EQ(
      parsed(R"({"type":"error","name":"R","doc":"","z":1,"a":{"y":1,"x":2},"aliases":["c","b"],
      "fields":[{"name":"d","type":"double","default":1},
                {"name":"e","type":{"scale":2,"z":0,"precision":4,"type":"bytes",
                                    "logicalType":"decimal"}}]})")
          ->normalized(),
      R"({"type":"record","name":"R","fields":[{"name":"d","type":"double","default":1.0},)"
      R"({"name":"e","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2,)"
      R"("z":0}}],)"
      R"("a":{"x":2,"y":1},"z":1,"aliases":["b","c"]})");
}

TEST(avro_schema, a_logical_type_that_does_not_fit_is_only_a_property) {
  const auto logical = [](std::string_view text) { return parsed(text)->root().logical.kind; };
  EXPECT_EQ(logical(R"({"type":"int","logicalType":"date"})"), Logical::kDate);
  EXPECT_EQ(logical(R"({"type":"long","logicalType":"date"})"), Logical::kNone);
  EXPECT_EQ(logical(R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":5})"),
            Logical::kNone);
  EXPECT_EQ(
      logical(R"({"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":4})"),
      Logical::kDecimal);
  EXPECT_EQ(
      logical(R"({"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":5})"),
      Logical::kNone);
}

TEST(avro_schema, what_is_refused_is_told_with_its_place) {
  const auto in_field = [](const std::string& type) {
    return refusal(R"({"type":"record","name":"R","fields":[{"name":"a","type":)" + type + "}]}");
  };
  EXPECT_THAT(refusal("{"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("12"), HasSubstr("at /: a type is"));
  EXPECT_THAT(in_field(R"({"type":{"type":"string"}})"), HasSubstr("at /fields/0/type: \"type\""));
  EXPECT_THAT(in_field(R"(["int",["null"]])"), HasSubstr("at /fields/0/type: a union stands"));
  EXPECT_THAT(in_field(R"(["int","string","int"])"), HasSubstr("\"int\" twice"));
  EXPECT_THAT(in_field(R"({"type":"enum","name":"E","symbols":["A","A"]})"),
              HasSubstr("at /fields/0/type/symbols/1: \"A\" is there twice"));
  EXPECT_THAT(in_field(R"({"type":"enum","name":"E","symbols":["A"],"default":"B"})"),
              HasSubstr("\"B\" is not one of the symbols"));
  EXPECT_THAT(in_field(R"({"type":"fixed","name":"F","size":-1})"), HasSubstr("\"size\""));
  EXPECT_THAT(in_field(R"({"type":"fixed","name":"R","size":1})"),
              HasSubstr("defined within itself"));
  EXPECT_THAT(in_field(R"({"type":"array"})"), HasSubstr("\"items\" is missing"));
  EXPECT_THAT(in_field(R"("int","default":"x")"),
              HasSubstr("field \"a\" of record \"R\": the default is not of its type, int"));
  EXPECT_THAT(refusal(R"({"type":"record","name":"1R","fields":[]})"),
              HasSubstr("at /name: \"1R\""));
  EXPECT_THAT(refusal(R"({"type":"record","name":"R","namespace":"a..b","fields":[]})"),
              HasSubstr("not a namespace"));
  EXPECT_THAT(refusal(R"({"type":"enum","name":"int","symbols":[]})"), HasSubstr("primitive"));
}

TEST(avro_schema, an_older_schema_keeps_names_and_defaults_that_new_ones_may_not_have) {
  const auto* text =
      R"({"type":"record","name":"Straße","fields":[{"name":"a","type":"int","default":"x"}]})";
  EXPECT_THAT(refusal(text), HasSubstr("is not a name"));
  EXPECT_EQ(refusal(text, Age::kKnown), "taken");
}

TEST(avro_schema, a_definition_may_be_repeated_but_not_changed) {
  const std::string enums = R"({"type":"enum","name":"E","symbols":["A"]})";
  const std::string other = R"({"type":"enum","name":"E","symbols":["B"]})";
  const auto two = [](const std::string& one, const std::string& two_) {
    return R"({"type":"record","name":"R","fields":[{"name":"a","type":)" + one +
           R"(},{"name":"b","type":)" + two_ + "}]}";
  };
  EXPECT_EQ(refusal(two(enums, enums)), "taken");
  EXPECT_THAT(refusal(two(enums, other)), HasSubstr("at /fields/1/type: \"E\" is defined already"));
}

std::string repeated(std::string_view what, int count) {
  std::string made;
  for (int i = 0; i < count; ++i) made += what;
  return made;
}

// Chains of records by name, each used before its definition.
std::string chain(int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i)
    text += (i > 0 ? "," : "") + (R"({"type":"record","name":"R)" + std::to_string(i)) +
            R"(","fields":[{"name":"f","type":"R)" + std::to_string((i + 1) % count) + R"("}]})";
  return text + "]";
}

TEST(avro_schema, what_is_too_large_or_too_deep_is_refused_within_a_second) {
  std::string nested;
  for (int i = 0; i < 10'000; ++i)
    nested +=
        R"({"type":"record","name":"R)" + std::to_string(i) + R"(","fields":[{"name":"f","type":)";
  std::string wide = R"({"type":"record","name":"R","fields":[)";
  for (int i = 0; wide.size() < kMaxSchemaBytes - 60; ++i)
    wide += (i > 0 ? "," : "") + (R"({"name":"f)" + std::to_string(i)) +
            R"(","type":["null","int"],"default":null})";
  // Each record's default holds the one before it twice.
  std::string doubling =
      R"([{"type":"record","name":"R0","fields":[{"name":"a","type":"int","default":1}]})";
  for (int i = 1; i < 40; ++i) {
    const std::string before = R"("type":"R)" + std::to_string(i - 1) + R"(","default":{}})";
    doubling += R"(,{"type":"record","name":"R)" + std::to_string(i) +
                R"(","fields":[{"name":"a",)" + before + R"(,{"name":"b",)" + before + "]}";
  }
  const std::vector<std::pair<std::string, std::string>> cases = {
      {nested + "\"int\"" + repeated("}]}", 10'000), "nested more than"},
      {std::string(kMaxSchemaBytes + 1, ' '), "more than"},
      {repeated("[", 5'000'000), "schema"},
      {chain(20'000), "lie in one another"},
      {doubling + "]", "too large, or contains itself"},
      {R"({"type":"record","name":"A","fields":[{"name":"a","type":"A","default":{}}]})",
       "contains itself"},
      {wide + "]}", "taken"}};
  for (const auto& [text, why] : cases) {
    const double start = thread_seconds();
    EXPECT_THAT(refusal(text), HasSubstr(why)) << text.substr(0, 100);
    EXPECT_LT(thread_seconds() - start, kExploded) << why;
  }
}

}  // namespace
}  // namespace tailrace::schema::avro
