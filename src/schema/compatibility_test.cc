// Levels of compatibility, and the sentences that say why not. Types and locations of 100,000
// random pairs are compared with Avro for Java in tests/real/test_avro.py.
#include "schema/compatibility.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::schema {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SchemaPtr record(const std::string& fields) {
  return parse_schema(Format::kAvro, R"({"type":"record","name":"R","fields":[)" + fields + "]}")
      .value();
}

const std::string kA = R"({"name":"a","type":"int"})";
const std::string kB = R"({"name":"b","type":"int"})";
const std::string kBDefault = R"({"name":"b","type":"int","default":0})";

TEST(compatibility, a_new_field_without_default_is_told_as_the_registry_tells_it) {
  const std::vector<Version> earlier = {{1, record(kA)}};
  EXPECT_THAT(
      why_not_after(Level::kBackward, *record(kA + "," + kB), earlier),
      ElementsAre(
          "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'at path "
          "'/fields/1' the new schema's field 'b' has no default, and the old schema "
          "has no such field', additionalInfo:'b'}",
          "{oldSchemaVersion: 1}",
          R"({oldSchema: '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'})"));
}

TEST(compatibility, each_level_looks_in_its_direction_and_as_far_back_as_it_says) {
  const auto a = record(kA);
  const auto ab = record(kA + "," + kB);
  const auto ab_default = record(kA + "," + kBDefault);
  const auto allowed = [](Level level, const SchemaPtr& next, std::vector<Version> earlier) {
    return why_not_after(level, *next, earlier).empty();
  };
  EXPECT_TRUE(allowed(Level::kNone, ab, {{1, a}}));
  EXPECT_FALSE(allowed(Level::kBackward, ab, {{1, a}}));
  EXPECT_TRUE(allowed(Level::kForward, ab, {{1, a}}));
  EXPECT_TRUE(allowed(Level::kBackward, a, {{1, ab}}));
  EXPECT_FALSE(allowed(Level::kForward, a, {{1, ab}}));
  EXPECT_FALSE(allowed(Level::kFull, ab, {{1, a}}));
  EXPECT_TRUE(allowed(Level::kFull, ab_default, {{1, a}}));
  EXPECT_TRUE(allowed(Level::kBackward, ab, {{1, a}, {2, ab_default}}));
  EXPECT_FALSE(allowed(Level::kBackwardTransitive, ab, {{1, a}, {2, ab_default}}));
  EXPECT_TRUE(allowed(Level::kForward, a, {{1, ab}, {2, ab_default}}));
  EXPECT_FALSE(allowed(Level::kForwardTransitive, a, {{1, ab}, {2, ab_default}}));
  EXPECT_TRUE(allowed(Level::kFullTransitive, ab_default, {{1, a}, {2, a}}));
  EXPECT_TRUE(allowed(Level::kBackward, ab, {}));
}

TEST(compatibility, forward_calls_the_reader_old) {
  const std::vector<Version> earlier = {{3, record(kA + "," + kB)}};
  const auto why = why_not_after(Level::kForward, *record(kA), earlier);
  ASSERT_EQ(why.size(), 3U);
  EXPECT_THAT(why[0], HasSubstr("the old schema's field 'b' has no default, and the new schema"));
  EXPECT_EQ(why[1], "{oldSchemaVersion: 3}");
}

TEST(compatibility, every_difference_is_told_with_its_place) {
  const auto of = [](const std::string& reader, const std::string& writer) {
    const auto field = [](const std::string& type) {
      return record(R"({"name":"a","type":)" + type + "}");
    };
    std::vector<std::string> found;
    for (const auto& one : field(reader)->incompatibilities(*field(writer)))
      found.push_back(one.type + " " + one.location + " " + one.detail);
    return found;
  };
  const std::string f4 = R"({"type":"fixed","name":"F","size":4})";
  const std::string g5 = R"({"type":"fixed","name":"G","size":5})";
  EXPECT_THAT(of(f4, g5),
              ElementsAre("NAME_MISMATCH /fields/0/type/name expected: G",
                          "FIXED_SIZE_MISMATCH /fields/0/type/size expected: 5, found: 4"));
  EXPECT_THAT(of(R"({"type":"enum","name":"E","symbols":["A"]})",
                 R"({"type":"enum","name":"E","symbols":["C","B","A"]})"),
              ElementsAre("MISSING_ENUM_SYMBOLS /fields/0/type/symbols [B, C]"));
  EXPECT_THAT(of(R"({"type":"enum","name":"E","symbols":["A"],"default":"A"})",
                 R"({"type":"enum","name":"E","symbols":["B"]})"),
              IsEmpty());
  EXPECT_THAT(
      of(R"(["null","int"])", R"(["null","string"])"),
      ElementsAre(
          "MISSING_UNION_BRANCH /fields/0/type/1 reader union lacking writer type: STRING"));
  EXPECT_THAT(
      of("\"int\"", "\"long\""),
      ElementsAre(
          "TYPE_MISMATCH /fields/0/type reader type: INT not compatible with writer type: LONG"));
  EXPECT_THAT(of("\"double\"", "\"int\""), IsEmpty());
  EXPECT_THAT(of("\"bytes\"", "\"string\""), IsEmpty());
}

TEST(compatibility, unions_of_many_records_are_given_up) {
  const auto of = [](const std::string& name) {
    std::string text = "[";
    for (int i = 0; i < 40'000; ++i)
      text += (i > 0 ? "," : "") + (R"({"type":"record","name":")" + name + std::to_string(i)) +
              R"(","fields":[{"name":"a","type":"int"}]})";
    return parse_schema(Format::kAvro, text + "]").value();
  };
  const auto reader = of("R");
  const auto writer = of("W");
  const auto found = reader->incompatibilities(*writer);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().type, "TOO_LARGE");
}

TEST(compatibility, a_field_that_is_two_of_the_writers_by_its_aliases_is_told) {
  const auto reader = record(R"({"name":"x","type":"int","aliases":["a","b"]})");
  const auto found = reader->incompatibilities(*record(kA + "," + kB));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found.front().description,
              HasSubstr("field 'x' is more than one of the fields of 'R'"));
}

TEST(compatibility, levels_have_the_registrys_names) {
  for (const auto* name : {"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD",
                           "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}) {
    ASSERT_TRUE(level_named(name).has_value());
    EXPECT_EQ(level_name(*level_named(name)), name);
  }
  EXPECT_EQ(level_named("backward"), Level::kBackward);
  EXPECT_FALSE(level_named("sideways").has_value());
}

}  // namespace
}  // namespace tailrace::schema
