// Differences between two JSON Schemas, and how they are told. Thousands of random pairs were
// compared with Confluent's own classes; what follows are the rules one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/compatibility.h"
#include "schema/json_schema/json_schema.h"

namespace tailrace::schema::json_schema {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> of(const std::string& writer, const std::string& reader) {
  const auto one = parse_schema(Format::kJsonSchema, writer).value();
  const auto other = parse_schema(Format::kJsonSchema, reader).value();
  std::vector<std::string> found;
  for (const auto& each : other->incompatibilities(*one)) {
    EXPECT_NE(each.description, "") << each.type;
    found.push_back(each.type + " " + each.location);
  }
  return found;
}

std::string modern(const std::string& rest) {
  return R"({"$schema":"https://json-schema.org/draft/2020-12/schema",)" + rest + "}";
}

TEST(differences, limits_may_widen_and_not_narrow) {
  const std::string narrow = R"({"type":"string","minLength":2,"maxLength":4,"pattern":"a"})";
  const std::string wide = R"({"type":"string","minLength":1,"maxLength":5})";
  EXPECT_THAT(of(narrow, wide), IsEmpty());
  EXPECT_THAT(of(wide, narrow),
              UnorderedElementsAre("MIN_LENGTH_INCREASED #/minLength",
                                   "MAX_LENGTH_DECREASED #/maxLength", "PATTERN_ADDED #/pattern"));
  EXPECT_THAT(
      of(R"({"type":"number"})", R"({"type":"integer","exclusiveMaximum":5})"),
      UnorderedElementsAre("TYPE_NARROWED #/", "EXCLUSIVE_MAXIMUM_ADDED #/exclusiveMaximum"));
  EXPECT_THAT(of(R"({"type":"integer"})", R"({"type":"number"})"), IsEmpty());
  EXPECT_THAT(of(R"({"type":"integer"})", R"({"type":"string"})"), ElementsAre("TYPE_CHANGED #/"));
  // The registry fails over this one, or overlooks it.
  EXPECT_THAT(
      of(R"({"type":"number","exclusiveMaximum":5})", R"({"type":"number","exclusiveMaximum":4})"),
      ElementsAre("EXCLUSIVE_MAXIMUM_DECREASED #/exclusiveMaximum"));
}

TEST(differences, multiples_are_compared_exactly) {
  const auto by = [](const std::string& one) {
    return R"({"type":"number","multipleOf":)" + one + "}";
  };
  EXPECT_THAT(of(by("0.3"), by("0.1")), IsEmpty());
  EXPECT_THAT(of(by("0.5"), by("0.50")), IsEmpty());
  EXPECT_THAT(of(by("0.1"), by("0.3")), ElementsAre("MULTIPLE_OF_EXPANDED #/multipleOf"));
  EXPECT_THAT(of(by("2"), by("3")), ElementsAre("MULTIPLE_OF_CHANGED #/multipleOf"));
}

TEST(differences, an_open_object_may_have_written_any_property) {
  const std::string open = R"({"type":"object","properties":{"a":{"type":"string"}}})";
  const std::string more =
      R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}})";
  EXPECT_THAT(of(open, more),
              ElementsAre("OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/b"));
  EXPECT_THAT(of(more, open), IsEmpty());
}

TEST(differences, a_closed_object_may_grow_and_not_shrink) {
  const std::string rest = R"(},"additionalProperties":false)";
  const std::string one = R"({"type":"object","properties":{"a":{"type":"string"})" + rest + "}";
  const std::string two =
      R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"})" + rest + "}";
  const std::string required = two.substr(0, two.size() - 1) + R"(,"required":["b"]})";
  EXPECT_THAT(of(one, two), IsEmpty());
  EXPECT_THAT(of(two, one),
              ElementsAre("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/b"));
  EXPECT_THAT(of(one, required),
              ElementsAre("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/b"));
  EXPECT_THAT(of(two, required), ElementsAre("REQUIRED_ATTRIBUTE_ADDED #/required/b"));
}

TEST(differences, a_partly_open_object_covers_what_fits_its_other_properties) {
  const auto with = [](const std::string& properties) {
    return R"({"type":"object","properties":{)" + properties +
           R"(},"additionalProperties":{"type":"string"}})";
  };
  EXPECT_THAT(of(with(""), with(R"("b":{"type":"string"})")), IsEmpty());
  EXPECT_THAT(of(with(""), with(R"("b":{"type":"integer"})")),
              UnorderedElementsAre("TYPE_CHANGED #/properties/b",
                                   "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL "
                                   "#/properties/b"));
}

TEST(differences, arrays_have_the_same_rules) {
  EXPECT_THAT(of(R"({"items":{"type":"string"}})", R"({"items":{"type":"null"}})"),
              ElementsAre("TYPE_CHANGED #/items"));
  EXPECT_THAT(of(R"({"type":"array"})", R"({"type":"array","items":{"type":"null"}})"),
              ElementsAre("SCHEMA_ADDED #/items"));
  EXPECT_THAT(of(R"({"items":[{}],"additionalItems":false})",
                 R"({"items":[{},{}],"additionalItems":false})"),
              IsEmpty());
  EXPECT_THAT(of(R"({"items":[{},{}],"additionalItems":false})",
                 R"({"items":[{}],"additionalItems":false})"),
              ElementsAre("ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL #/items/1"));
  EXPECT_THAT(
      of(modern(R"("contains":{},"maxContains":5)"), modern(R"("contains":{},"maxContains":4)")),
      ElementsAre("MAX_CONTAINS_DECREASED #/maxContains"));
}

TEST(differences, what_is_not_evaluated_opens_and_closes_too) {
  EXPECT_THAT(
      of(modern(R"("type":"object")"), modern(R"("type":"object","unevaluatedProperties":false)")),
      ElementsAre("UNEVALUATED_PROPERTIES_REMOVED #/unevaluatedProperties"));
  const std::string closed = R"("type":"object","unevaluatedProperties":false)";
  EXPECT_THAT(of(modern(closed), modern(closed + R"(,"properties":{"a":{"type":"null"}})")),
              IsEmpty());
}

TEST(differences, alternatives_find_one_another_in_any_order) {
  const std::string two = R"({"oneOf":[{"type":"string"},{"type":"integer"}]})";
  const std::string turned = R"({"oneOf":[{"type":"number"},{"type":"string"}]})";
  const std::string three = R"({"oneOf":[{"type":"null"},{"type":"integer"},{"type":"string"}]})";
  EXPECT_THAT(of(two, turned), IsEmpty());
  EXPECT_THAT(of(two, three), IsEmpty());
  EXPECT_THAT(of(three, two), ElementsAre("SUM_TYPE_NARROWED #/"));
  EXPECT_THAT(of(R"({"type":"string"})", three), IsEmpty());
  EXPECT_THAT(of(two, R"({"oneOf":[{"type":"null"},{"type":"boolean"}]})"),
              ElementsAre("COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"));
  EXPECT_THAT(of(two, R"({"allOf":[{"type":"string"},{"type":"integer"}]})"),
              ElementsAre("COMBINED_TYPE_CHANGED #/"));
}

TEST(differences, a_cycle_hides_nothing) {
  const auto list = [](const std::string& type) {
    return R"({"properties":{"next":{"$ref":"#"},"other":{"$ref":"#/definitions/v"}},)"
           R"("definitions":{"v":{"anyOf":[{"$ref":"#"},{"type":")" +
           type + R"("}]}}})";
  };
  EXPECT_THAT(of(list("string"), list("string")), IsEmpty());
  EXPECT_FALSE(of(list("string"), list("integer")).empty());
}

TEST(differences, dependencies_enums_and_not) {
  EXPECT_THAT(of(R"({"dependencies":{"a":["b"]}})", R"({"dependencies":{"a":["b","c"],"d":{}}})"),
              UnorderedElementsAre("DEPENDENCY_ARRAY_EXTENDED #/dependencies/a",
                                   "DEPENDENCY_SCHEMA_ADDED #/dependencies/d"));
  EXPECT_THAT(of(R"({"enum":[1,"a"]})", R"({"enum":["a",{"x":1},1]})"), IsEmpty());
  EXPECT_THAT(of(R"({"enum":[1,2]})", R"({"enum":[1]})"),
              ElementsAre("ENUM_ARRAY_NARROWED #/enum"));
  EXPECT_THAT(of(R"({"const":1})", R"({"const":2})"), ElementsAre("ENUM_ARRAY_CHANGED #/const"));
  EXPECT_THAT(of(R"({"not":{"type":"integer"}})", R"({"not":{"type":"number"}})"),
              ElementsAre("NOT_TYPE_EXTENDED #/not"));
}

TEST(differences, the_registry_tells_them_in_its_shape) {
  const auto schema = [](const std::string& text) {
    return parse_schema(Format::kJsonSchema, text).value();
  };
  const std::vector<Version> earlier = {{4, schema(R"({"type":"string"})")}};
  EXPECT_THAT(
      why_not_after(Level::kBackward, *schema(R"({"type":"integer"})"), earlier),
      ElementsAre("{errorType:\"TYPE_CHANGED\", description:\"at path '#/' the new schema is "
                  "of another type than the old schema'}",
                  "{oldSchemaVersion: 4}", R"({oldSchema: '{"type":"string"}'})"));
}

}  // namespace
}  // namespace tailrace::schema::json_schema
