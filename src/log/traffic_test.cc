// What goes into a partition is counted once, and stays counted when its topic goes.
#include "log/traffic.h"

#include <gtest/gtest.h>

#include <string>

#include "log/log.h"
#include "rt/simulated_files.h"

namespace tailrace::log {
namespace {

TEST(Traffic, appended_records_are_counted_and_duplicates_are_not) {
  rt::SimulatedFiles files(1);
  const auto log = Log::open("/log", {.seed = 1}, files).value();
  ASSERT_TRUE(log->create_topic("t"));
  const auto partition = log->partition("t", PartitionId(0)).value();
  const std::string value(100, 'x');
  const std::vector<Record> records(3, Record{"key", value, TimestampMs(1), {}});
  const Producer producer{.id = 7, .epoch = 0, .first_sequence = 0};
  ASSERT_TRUE(partition->append(records, producer));
  ASSERT_TRUE(partition->append(records, producer));
  EXPECT_EQ(partition->traffic().messages_in.value(), 3U);
  EXPECT_EQ(partition->traffic().bytes_in.value(), partition->size_bytes());
}

TEST(Traffic, of_a_deleted_topic_is_kept_for_the_sum_of_all) {
  rt::SimulatedFiles files(1);
  const auto log = Log::open("/log", {.seed = 1}, files).value();
  TopicSettings settings;
  settings.partitions = 2;
  ASSERT_TRUE(log->create_topic("t", settings));
  for (const int p : {0, 1}) {
    const auto partition = log->partition("t", PartitionId(p)).value();
    ASSERT_TRUE(partition->append(std::vector<Record>(2, Record{"k", "v", TimestampMs(1), {}})));
    partition->traffic().fetch_requests.add(5);
  }
  EXPECT_EQ(log->retired().messages_in.value(), 0U);
  ASSERT_TRUE(log->delete_topic("t"));
  EXPECT_EQ(log->retired().messages_in.value(), 4U);
  EXPECT_EQ(log->retired().fetch_requests.value(), 10U);
  EXPECT_GT(log->retired().bytes_in.value(), 0U);
}

}  // namespace
}  // namespace tailrace::log
