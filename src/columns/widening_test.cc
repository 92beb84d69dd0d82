// Types that grow, and values that follow, against Arrow's own reading of JSON.
#include "columns/widening.h"

#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

namespace tailrace {
namespace {

Array values(const Type& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

Type wide(const Type& before, const Type& next) {
  auto type = widened_type(before, next);
  EXPECT_TRUE(type) << type.error().what;
  return type ? *type : nullptr;
}

TEST(Widening, numbers_become_the_type_that_holds_both) {
  EXPECT_TRUE(wide(arrow::int32(), arrow::int64())->Equals(arrow::int64()));
  EXPECT_TRUE(wide(arrow::int64(), arrow::int32())->Equals(arrow::int64()));
  EXPECT_TRUE(wide(arrow::int32(), arrow::float32())->Equals(arrow::float64()));
  EXPECT_TRUE(wide(arrow::float32(), arrow::float64())->Equals(arrow::float64()));
  EXPECT_TRUE(
      wide(arrow::decimal128(5, 2), arrow::decimal128(6, 1))->Equals(arrow::decimal128(7, 2)));
  EXPECT_FALSE(widened_type(arrow::decimal128(38, 0), arrow::decimal128(38, 9)));
  EXPECT_FALSE(widened_type(arrow::utf8(), arrow::int32()));
}

TEST(Widening, fields_stay_where_they_are_and_new_ones_come_last) {
  const Type before =
      arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("gone", arrow::utf8())});
  const Type next =
      arrow::struct_({arrow::field("new", arrow::utf8()), arrow::field("a", arrow::int64())});
  const Type type = wide(before, next);
  EXPECT_EQ(spark_name(*type), "STRUCT<a: BIGINT, gone: STRING, new: STRING>");
  const auto rows =
      widened(values(next, R"([{"new": "x", "a": 1}, null, {"new": null, "a": 3}])"), type);
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_TRUE((*rows)->ValidateFull().ok());
  EXPECT_TRUE((*rows)->Equals(values(
      type, R"([{"a": 1, "gone": null, "new": "x"}, null, {"a": 3, "gone": null, "new": null}])")))
      << (*rows)->ToString();
}

TEST(Widening, what_lies_in_lists_and_maps_grows_too) {
  const Type old = arrow::list(arrow::struct_({arrow::field("a", arrow::int32())}));
  const Type next = arrow::list(
      arrow::struct_({arrow::field("a", arrow::float64()), arrow::field("b", arrow::utf8())}));
  const Type type = wide(old, next);
  auto rows =
      widened(values(old, R"([[{"a": 1}], null, [], [{"a": 2}, {"a": 3}]])")->Slice(1), type);
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_TRUE((*rows)->Equals(
      values(type, R"([null, [], [{"a": 2.0, "b": null}, {"a": 3.0, "b": null}]])")))
      << (*rows)->ToString();
  const Type map =
      wide(arrow::map(arrow::utf8(), arrow::int32()), arrow::map(arrow::utf8(), arrow::int64()));
  rows = widened(values(arrow::map(arrow::utf8(), arrow::int32()), R"([[["k", 7]], []])"), map);
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_TRUE((*rows)->Equals(values(map, R"([[["k", 7]], []])")));
}

TEST(Widening, sliced_structs_keep_their_rows) {
  const Type old = arrow::struct_({arrow::field("a", arrow::int32())});
  const Type type = wide(old, arrow::struct_({arrow::field("a", arrow::int64()),
                                              arrow::field("b", arrow::boolean())}));
  const auto rows =
      widened(values(old, R"([{"a": 1}, null, {"a": 3}, {"a": 4}])")->Slice(1, 2), type);
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_TRUE((*rows)->Equals(values(type, R"([null, {"a": 3, "b": null}])")))
      << (*rows)->ToString();
}

TEST(Widening, the_error_names_the_fields_path) {
  const auto field = [](const Type& inner) {
    return arrow::struct_({arrow::field("user", arrow::struct_({arrow::field("age", inner)}))});
  };
  const auto refused = widened_type(field(arrow::int32()), field(arrow::utf8()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "user: age: INT cannot become STRING");
}

}  // namespace
}  // namespace tailrace
