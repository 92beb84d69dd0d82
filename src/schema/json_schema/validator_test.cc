// Documents against JSON Schemas, and where the first violation is. The published test suite of
// json-schema.org was run once (README); what follows are cases of our own.
#include "schema/json_schema/validator.h"

#include <gtest/gtest.h>

namespace tailrace::schema::json_schema {
namespace {

class Asked {
 public:
  explicit Asked(const std::string& schema, Formats formats = Formats::kIgnored)
      : validator_(Validator::compile(JsonSchema::parse(schema).value(), formats).value()) {}

  /// "instance keyword", or nothing.
  std::string violation(const std::string& document) {
    simdjson::dom::parser parser;
    const auto found = validator_.check(parser.parse(simdjson::padded_string(document)).value());
    return found ? found->instance + " " + found->keyword : "";
  }
  bool takes(const std::string& document) { return violation(document).empty(); }

 private:
  Validator validator_;
};

std::string modern(const std::string& rest) {
  return R"({"$schema":"https://json-schema.org/draft/2020-12/schema",)" + rest + "}";
}

TEST(validator, the_first_violation_has_its_places) {
  Asked users(R"({"type":"object","required":["id"],"properties":{"id":{"type":"integer"},
    "tags":{"type":"array","items":{"$ref":"#/definitions/tag"}}},
    "definitions":{"tag":{"type":"string","maxLength":3}}})");
  EXPECT_TRUE(users.takes(R"({"id":1,"tags":["a","bcd"]})"));
  EXPECT_EQ(users.violation(R"({"tags":[]})"), " /required");
  EXPECT_EQ(users.violation(R"({"id":1.5})"), "/id /properties/id/type");
  EXPECT_EQ(users.violation(R"({"id":1,"tags":["a","bcde"]})"),
            "/tags/1 /properties/tags/items/$ref/maxLength");
  EXPECT_EQ(users.violation("[]"), " /type");
}

TEST(validator, numbers_are_compared_by_value) {
  Asked seven(R"({"enum":[7]})");
  EXPECT_TRUE(seven.takes("7.0"));
  EXPECT_FALSE(seven.takes("\"7\""));
  EXPECT_TRUE(Asked(R"({"type":"integer"})").takes("1.0"));
  Asked cents(R"({"multipleOf":0.01})");
  EXPECT_TRUE(cents.takes("19.99"));
  EXPECT_FALSE(cents.takes("19.995"));
  Asked large(R"({"minimum":9007199254740993})");
  EXPECT_FALSE(large.takes("9007199254740992"));
  EXPECT_TRUE(large.takes("9007199254740993"));
  Asked old(R"({"$schema":"http://json-schema.org/draft-04/schema#",
      "maximum":5,"exclusiveMaximum":true})");
  EXPECT_FALSE(old.takes("5"));
}

TEST(validator, strings_are_measured_in_characters_and_matched_anywhere) {
  Asked text(R"({"minLength":2,"maxLength":2,"pattern":"[é-ü]"})");
  EXPECT_TRUE(text.takes("\"aü\""));
  EXPECT_FALSE(text.takes("\"ab\""));
  EXPECT_FALSE(text.takes("\"ü\""));
  EXPECT_TRUE(Asked(R"({"pattern":"^a.c$"})").takes("\"abc\""));
  EXPECT_FALSE(Asked(R"({"pattern":"^ab"})").takes("\"cab\""));
  // RE2 cannot look ahead: not enforced.
  EXPECT_TRUE(Asked(R"({"pattern":"(?=x)y"})").takes("\"z\""));
}

TEST(validator, what_nothing_looked_at_is_not_evaluated) {
  Asked closed(modern(R"("allOf":[{"properties":{"a":{}}}],
    "anyOf":[{"required":["b"],"properties":{"b":{}}},{}],"unevaluatedProperties":false)"));
  EXPECT_TRUE(closed.takes(R"({"a":1,"b":1})"));
  EXPECT_EQ(closed.violation(R"({"a":1,"c":1})"), "/c /unevaluatedProperties");
  Asked items(
      modern(R"("prefixItems":[true],"contains":{"type":"string"},"unevaluatedItems":false)"));
  EXPECT_TRUE(items.takes(R"([1,"a","b"])"));
  EXPECT_FALSE(items.takes(R"([1,"a",2])"));
}

TEST(validator, many_required_members_are_all_asked_for) {
  std::string names, document;
  for (int i = 0; i < 100; ++i) {
    names += (i > 0 ? ",\"n" : "\"n") + std::to_string(i) + "\"";
    document += (i > 0 ? ",\"n" : "\"n") + std::to_string(i) + "\":0";
  }
  Asked all(R"({"required":[)" + names + "]}");
  EXPECT_TRUE(all.takes("{" + document + "}"));
  EXPECT_FALSE(all.takes("{" + document.substr(0, document.rfind(',')) + "}"));
}

TEST(validator, items_alike_are_found_among_many) {
  Asked unique(R"({"uniqueItems":true})");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += std::to_string(i) + ",";
  EXPECT_TRUE(unique.takes("[" + many + R"({"a":1,"b":2},{"b":2,"a":2}])"));
  EXPECT_FALSE(unique.takes("[" + many + R"({"a":1,"b":2},{"b":2,"a":1.0}])"));
  EXPECT_FALSE(unique.takes("[1,2,1.0]"));
}

TEST(validator, a_schema_without_an_end_is_told_and_ends) {
  EXPECT_FALSE(Asked(R"({"$ref":"#"})").takes("1"));
  std::string doubling = modern(R"("$ref":"#/$defs/d0","$defs":{)");
  doubling.pop_back();
  for (int i = 0; i < 40; ++i) {
    const std::string next = R"({"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"}";
    doubling += "\"d" + std::to_string(i) + R"(":{"oneOf":[)" + next + "," + next + "]},";
  }
  EXPECT_FALSE(Asked(doubling + R"("d40":{}}})").takes("1"));
}

TEST(validator, the_outermost_dynamic_anchor_is_the_one) {
  Asked strict(modern(R"("$id":"http://h/strict","$dynamicAnchor":"node","$ref":"tree",
    "unevaluatedProperties":false,"$defs":{"tree":{"$id":"tree","$dynamicAnchor":"node",
    "properties":{"data":true,"children":{"items":{"$dynamicRef":"#node"}}}}})"));
  EXPECT_TRUE(strict.takes(R"({"children":[{"data":1}]})"));
  EXPECT_FALSE(strict.takes(R"({"children":[{"daat":1}]})"));
}

TEST(validator, formats_are_asserted_when_asked_for) {
  const std::string schema = R"({"format":"date-time"})";
  EXPECT_TRUE(Asked(schema).takes("\"soon\""));
  Asked asked(schema, Formats::kAsserted);
  EXPECT_TRUE(asked.takes("\"2024-02-29T23:59:60Z\""));
  EXPECT_FALSE(asked.takes("\"2023-02-29T00:00:00Z\""));
  EXPECT_FALSE(asked.takes("\"soon\""));
  EXPECT_TRUE(has_format("ipv6", "::ffff:1.2.3.4"));
  EXPECT_FALSE(has_format("ipv6", "1::2::3"));
  EXPECT_FALSE(has_format("ipv4", "1.2.3.256"));
}

}  // namespace
}  // namespace tailrace::schema::json_schema
