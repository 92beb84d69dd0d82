// Partitions of ids, compared with what Java's hash gives.
#include "kafka/coordinator_partition.h"

#include <gtest/gtest.h>

#include <string>

namespace tailrace::kafka {
namespace {

TEST(CoordinatorPartition, is_where_kafka_looks_for_it) {
  // Math.abs(id.hashCode()) % 50, from jshell.
  EXPECT_EQ(coordinator_partition("group", 50), 47);
  EXPECT_EQ(coordinator_partition("my-transaction", 50), 19);  // its hash is negative
  EXPECT_EQ(coordinator_partition("console-consumer-12345", 50), 6);
  EXPECT_EQ(coordinator_partition("gr\u00fc\u00dfe", 50), 23);
  EXPECT_EQ(coordinator_partition("\U0001f600 id", 50), 14);
  EXPECT_EQ(coordinator_partition("", 50), 0);
}

}  // namespace
}  // namespace tailrace::kafka
