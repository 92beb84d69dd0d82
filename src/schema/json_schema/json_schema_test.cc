// JSON Schemas as the registry takes, shows and refuses them.
#include "schema/json_schema/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/json_schema/pattern.h"
#include "schema/testing/thread_time.h"

namespace tailrace::schema::json_schema {
namespace {

using ::testing::HasSubstr;

const std::string k2020 = R"("$schema":"https://json-schema.org/draft/2020-12/schema",)";
const std::string k2019 = R"("$schema":"https://json-schema.org/draft/2019-09/schema",)";
const std::string k4 = R"("$schema":"http://json-schema.org/draft-04/schema#",)";
const std::string k6 = R"("$schema":"http://json-schema.org/draft-06/schema#",)";

SchemaPtr parsed(const std::string& text, std::vector<Reference> references = {}) {
  return parse_schema(Format::kJsonSchema, text, references).value();
}

std::string refused(const std::string& text, std::vector<Reference> references = {}) {
  const auto made = parse_schema(Format::kJsonSchema, text, references);
  if (made) return "";
  EXPECT_EQ(made.error().code, Code::kInvalidArgument);
  return made.error().what;
}

TEST(json_schema, the_canonical_text_keeps_order_and_numbers) {
  EXPECT_EQ(
      parsed(R"( { "type" : "number", "minimum" : 1.50, "a": {"z":1, "b":[ ]} } )")->canonical(),
      R"({"type":"number","minimum":1.50,"a":{"z":1,"b":[]}})");
  EXPECT_EQ(parsed("true")->canonical(), "true");
  // As BigDecimal writes them; an integer has no sign of zero.
  EXPECT_EQ(
      parsed(R"({"x":[1e3,1.5e2,0.0000001,-0,-0.0,100.0,12345678901234567890123]})")->canonical(),
      R"({"x":[1E+3,1.5E+2,1E-7,0,0.0,100.0,12345678901234567890123]})");
  EXPECT_EQ(parsed(R"({"a":1,"b":2,"a":"\u00e9\/\u0001"})")->canonical(),
            "{\"a\":\"é/\\u0001\",\"b\":2}");
}

TEST(json_schema, the_normal_form_has_its_members_in_order) {
  const auto schema =
      parsed(R"({"type":"object","required":["b","a"],"properties":{"b":{},"a":{}}})");
  EXPECT_EQ(schema->normalized(),
            R"({"properties":{"a":{},"b":{}},"required":["b","a"],"type":"object"})");
  EXPECT_FALSE(schema->equivalent(*parsed(schema->normalized())));
  EXPECT_TRUE(schema->equivalent(*parsed(" " + schema->canonical())));
}

TEST(json_schema, a_keyword_of_another_type_is_refused) {
  EXPECT_THAT(refused("[]"), HasSubstr("is an object, true or false"));
  EXPECT_THAT(refused(R"({"type":"text"})"), HasSubstr("names no type"));
  EXPECT_THAT(refused(R"({"minLength":"1"})"), HasSubstr("minLength"));
  EXPECT_THAT(refused(R"({"minLength":1.0})"), HasSubstr("minLength"));
  EXPECT_THAT(refused(R"({"required":true})"), HasSubstr("required"));
  EXPECT_THAT(refused(R"({"properties":{"a":5}})"), HasSubstr("not an object"));
  EXPECT_THAT(refused(R"({"multipleOf":0})"), HasSubstr("multipleOf"));
  EXPECT_THAT(refused(R"({"pattern":"a("})"), HasSubstr("no regular expression"));
  EXPECT_THAT(refused(R"({"title":1})"), HasSubstr("title"));
  EXPECT_THAT(refused(R"({"type":"object")"), HasSubstr("at byte"));
  // Nothing looks at definitions that are not referred to, up to draft 7.
  EXPECT_EQ(refused(R"({"definitions":{"a":{"type":"text"}}})"), "");
  EXPECT_THAT(refused("{" + k2020 + R"("$defs":{"a":{"type":"text"}}})"), HasSubstr("type"));
}

TEST(json_schema, each_draft_has_its_own_keywords) {
  EXPECT_EQ(refused("{" + k4 + R"("minimum":1,"exclusiveMinimum":true})"), "");
  EXPECT_NE(refused("{" + k4 + R"("exclusiveMinimum":1})"), "");
  EXPECT_NE(refused("{" + k6 + R"("exclusiveMinimum":true})"), "");
  EXPECT_NE(refused("{" + k4 + R"("items":true})"), "");
  EXPECT_EQ(refused("{" + k4 + R"("contains":5})"), "");
  EXPECT_NE(refused("{" + k6 + R"("contains":5})"), "");
  EXPECT_EQ(refused("{" + k6 + R"("if":5})"), "");
  EXPECT_NE(refused(R"({"if":5})"), "");
  EXPECT_NE(refused("{" + k2020 + R"("items":[{}]})"), "");
  // The registry reads 2019-09 as 2020-12.
  EXPECT_NE(refused("{" + k2019 + R"("items":[{}]})"), "");
  EXPECT_EQ(refused(R"({"items":[{}]})"), "");
}

TEST(json_schema, patterns_are_refused_as_java_refuses_them) {
  const auto takes = [](const std::string& pattern) { return check_pattern(pattern).has_value(); };
  for (const auto* pattern : {"", "a|b*?c++", "(?=x)(?<n>y)\\k<n>", "[]a]", "[a-z&&[^b]]", "x{2,3}",
                              "{2}", "\\p{L}\\u0041\\x41", "(?i)a", "a]}", "\\Q(\\E", "\\1"})
    EXPECT_TRUE(takes(pattern)) << pattern;
  for (const auto* pattern :
       {"(", ")", "[", "[]", "[^]", "*a", "a**", "(?*a)", "x{", "x{,3}", "x{3,2}", "[z-a]", "\\",
        "\\y", "\\u12", "\\k<n>", "(?<n>a)(?<n>b)", "(?i)*"})
    EXPECT_FALSE(takes(pattern)) << pattern;
}

TEST(json_schema, a_reference_is_found_where_it_stands) {
  EXPECT_EQ(refused(R"({"$ref":"#/definitions/a","definitions":{"a":{}}})"), "");
  EXPECT_THAT(refused(R"({"$ref":"#/definitions/b","definitions":{"a":{}}})"),
              HasSubstr("stands for nothing"));
  EXPECT_EQ(refused(R"({"properties":{"a":{"$ref":"#"}}})"), "");
  EXPECT_EQ(refused(R"({"$ref":"#/$defs/a","definitions":{"a":{}}})"), "");
  EXPECT_EQ(refused("{" + k2020 + R"("$ref":"#x","$defs":{"a":{"$anchor":"x"}}})"), "");
  EXPECT_EQ(refused("{" + k2020 + R"("$id":"http://h/r","$ref":"b","$defs":{"a":{"$id":"b"}}})"),
            "");
  EXPECT_NE(refused("{" + k2020 + R"("$defs":{"a":{"$id":"b"},"c":{"$id":"b"}}})"), "");
  EXPECT_EQ(refused(R"({"$ref":"http://json-schema.org/draft-07/schema#"})"), "");
  EXPECT_NE(refused(R"({"$ref":"http://example.com/other"})"), "");
  EXPECT_NE(refused(R"({"$ref":"a b"})"), "");
}

TEST(json_schema, other_schemas_are_referred_to_by_name) {
  const std::vector<Reference> others = {
      {"other.json", R"({"type":"object","definitions":{"n":{"type":"integer"}}})"}};
  for (const std::string& draft : {std::string(), k2020}) {
    EXPECT_EQ(refused("{" + draft + R"("$ref":"other.json"})", others), "");
    EXPECT_EQ(refused("{" + draft + R"("$ref":"other.json#/definitions/n"})", others), "");
    EXPECT_NE(refused("{" + draft + R"("$ref":"other.json#/definitions/m"})", others), "");
    EXPECT_NE(refused("{" + draft + R"("$ref":"another.json"})", others), "");
    const std::vector<Reference> folders = {others[0], {"f/g.json", R"({"$ref":"../other.json"})"}};
    EXPECT_EQ(refused("{" + draft + R"("$ref":"f/g.json"})", folders), "");
  }
}

TEST(json_schema, hostile_texts_are_answered_and_do_not_explode) {
  const auto within = [](const std::string& writer, const std::string& reader) {
    const double start = thread_seconds();
    const auto one = parse_schema(Format::kJsonSchema, writer);
    const auto other = parse_schema(Format::kJsonSchema, reader);
    if (one && other) (void)(*other)->incompatibilities(**one);
    EXPECT_LT(thread_seconds() - start, kExploded) << writer.substr(0, 200);
  };
  for (const std::string& draft : {std::string(), k2020}) {
    const std::string defs = draft.empty() ? "definitions" : "$defs";
    const auto chain = [&](const std::string& type) {
      std::string text = "{" + draft + R"("$ref":"#/)" + defs + R"(/d0",")" + defs + "\":{";
      for (int i = 0; i < 10'000; ++i)
        text += "\"d" + std::to_string(i) + R"(":{"properties":{"x":{"$ref":"#/)" + defs + "/d" +
                std::to_string(i + 1) + "\"}}},";
      return text + R"("d10000":{"type":")" + type + "\"}}}";
    };
    within(chain("string"), chain("integer"));
    const auto repeated = [&](const std::string& what, int times) {
      std::string text = "{" + draft + "\"anyOf\":[";
      for (int i = 0; i < times; ++i) text += what + ",";
      return text + "{}]}";
    };
    within(repeated("{}", 1'600'000), repeated("true", 900'000));
    within(repeated(R"({"enum":[1]})", 300'000), repeated(R"({"enum":[2]})", 300'000));
    std::string deep = "{" + draft;
    for (int i = 0; i < 100'000; ++i) deep += R"("not":{)";
    within(deep, deep);
    const std::string self = "{" + draft + R"("$ref":"#"})";
    within(self, self);
    const auto doubling = [&](const std::string& type) {
      std::string text = "{" + draft + R"("$ref":"#/)" + defs + R"(/d0",")" + defs + "\":{";
      for (int i = 0; i < 60; ++i) {
        const std::string next = R"({"$ref":"#/)" + defs + "/d" + std::to_string(i + 1) + "\"}";
        text +=
            "\"d" + std::to_string(i) + R"(":{"oneOf":[)" + next + R"(,{"items":)" + next + "}]},";
      }
      return text + R"("d60":{"type":")" + type + "\"}}}";
    };
    within(doubling("string"), doubling("integer"));
    std::string patterns = "{" + draft + R"("patternProperties":{)";
    for (int i = 0; i < 100'000; ++i)
      patterns += R"("(x+x+)+y\\pL{500})" + std::to_string(i) + "\":{},";
    patterns += R"("a":{}},"additionalProperties":false})";
    std::string properties = "{" + draft + R"("properties":{)";
    for (int i = 0; i < 100'000; ++i) properties += "\"xxxxxxxxxxxx" + std::to_string(i) + "\":{},";
    within(patterns, properties + R"("a":{}}})");
  }
  EXPECT_THAT(refused(std::string(6 << 20, ' ')), HasSubstr("more than"));
}

}  // namespace
}  // namespace tailrace::schema::json_schema
