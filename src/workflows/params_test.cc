// Params against their JSON Schema.
#include "workflows/params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::workflows {
namespace {

using testing::HasSubstr;

dags::Dag dag_with(jinja::Value value, const std::string& schema) {
  dags::Param param;
  param.name = "it";
  param.value = std::move(value);
  param.schema = *jinja::from_json(schema);
  dags::Dag dag;
  dag.params = {std::move(param)};
  return dag;
}

std::string why(const dags::Dag& dag, const std::string& conf) {
  const auto checked = check_params(dag, *jinja::from_json(conf));
  return checked ? "" : checked.error().what;
}

TEST(Params, a_value_must_be_what_its_schema_says) {
  const auto dag = dag_with(3, R"({"type": "integer", "minimum": 1, "maximum": 9})");
  EXPECT_EQ(why(dag, "{}"), "");
  EXPECT_EQ(why(dag, R"({"it": 9, "other": []})"), "");
  EXPECT_THAT(why(dag, R"({"it": 10})"), HasSubstr("Invalid input for param it"));
  EXPECT_THAT(why(dag, R"({"it": "3"})"), HasSubstr("Invalid input for param it"));
}

TEST(Params, a_value_that_nothing_gives_is_missing) {
  const auto dag = dag_with(jinja::Undefined{.name = "it"}, R"({"type": "string"})");
  EXPECT_THAT(why(dag, "{}"), HasSubstr("No value passed"));
  EXPECT_EQ(why(dag, R"({"it": "here"})"), "");
}

TEST(Params, a_mapping_is_merged_into_the_default_and_formats_count) {
  const auto deep =
      dag_with(*jinja::from_json(R"({"a": 1, "b": 2})"), R"({"required": ["a", "b"]})");
  EXPECT_EQ(why(deep, R"({"it": {"b": 3}})"), "");
  const auto day = dag_with("2026-01-01", R"({"type": "string", "format": "date"})");
  EXPECT_EQ(why(day, R"({"it": "2026-02-28"})"), "");
  EXPECT_THAT(why(day, R"({"it": "2026-02-30"})"), HasSubstr("param it"));
}

}  // namespace
}  // namespace tailrace::workflows
