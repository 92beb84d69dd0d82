// Partition keys and tokens. Expected tokens are Cassandra's own.
#include "cql_types/token.h"

#include <gtest/gtest.h>

#include <array>

namespace tailrace::cql_types {
namespace {

TEST(partition_keys, several_columns_are_split_as_they_were_joined) {
  const std::array<std::string_view, 3> values{"a", "", "long value"};
  const auto key = partition_key(values).value();
  EXPECT_EQ(key, std::string("\0\1a\0\0\0\0\0\12long value\0", 20));
  std::array<std::string_view, 3> back;
  ASSERT_TRUE(split_partition_key(key, back));
  EXPECT_EQ(back, values);
  std::array<std::string_view, 2> fewer;
  EXPECT_FALSE(split_partition_key(key, fewer));
  EXPECT_FALSE(split_partition_key(key.substr(0, 19), back));
}

TEST(partition_keys, beyond_the_limit_are_refused_in_cassandras_words) {
  const std::string longest(kMaxKey, 'x'), longer(kMaxKey + 1, 'x');
  const std::array<std::string_view, 1> fits{longest}, refused{longer};
  EXPECT_TRUE(partition_key(fits));
  EXPECT_EQ(partition_key(refused).error().what,
            "Key length of 65536 is longer than maximum of 65535");
  // Of several values first without what stands between them.
  const std::array<std::string_view, 2> joined{longest, ""}, both{longest, longer};
  EXPECT_EQ(partition_key(joined).error().what,
            "Key length of 65541 is longer than maximum of 65535");
  EXPECT_EQ(partition_key(both).error().what,
            "Key length of 131071 is longer than maximum of 65535");
}

}  // namespace
}  // namespace tailrace::cql_types
