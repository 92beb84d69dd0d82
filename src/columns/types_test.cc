// Types are called by Spark's names.
#include "columns/types.h"

#include <gtest/gtest.h>

namespace tailrace {
namespace {

TEST(Types, nested_types_have_sparks_names) {
  const Type type = arrow::struct_({arrow::field("a", arrow::list(arrow::decimal128(10, 2))),
                                    arrow::field("m", arrow::map(arrow::utf8(), timestamp_type())),
                                    arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO))});
  EXPECT_EQ(spark_name(*type),
            "STRUCT<a: ARRAY<DECIMAL(10,2)>, m: MAP<STRING, TIMESTAMP>, t: TIMESTAMP_NTZ>");
}

TEST(Types, a_delta_without_weights_only_inserts) {
  Delta delta;
  EXPECT_TRUE(delta.only_inserts());
  delta.weights = {1, 2};
  EXPECT_TRUE(delta.only_inserts());
  delta.weights = {1, -1};
  EXPECT_FALSE(delta.only_inserts());
}

}  // namespace
}  // namespace tailrace
