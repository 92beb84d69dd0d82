// The records of __share_group_state to bytes and back, and the names of share partitions. That
// Kafka reads the bytes is shown in tests/real/test_kafka_share.py.
#include "kafka/share_records.h"

#include <gtest/gtest.h>

namespace tailrace::kafka {
namespace {

share::Key key() {
  share::Key out{"workers", {}, PartitionId(3)};
  out.topic[0] = 0xfb;
  out.topic[15] = 0x01;
  return out;
}

void expect_same(const share::Record& record) {
  const auto bytes = encode_share_record(record);
  ASSERT_TRUE(bytes);
  const auto value = bytes->value ? std::optional<std::string_view>(*bytes->value) : std::nullopt;
  const auto again = decode_share_record(bytes->key, value);
  ASSERT_TRUE(again);
  ASSERT_TRUE(*again);
  EXPECT_TRUE(**again == record);
}

TEST(ShareRecords, come_back_as_they_were) {
  using enum share::RecordState;
  const std::vector<share::StateBatch> batches = {{Offset(5), Offset(9), kAcknowledged, 1},
                                                  {Offset(10), Offset(10), kAvailable, 4},
                                                  {Offset(11), Offset(300), kArchived, 2}};
  expect_same({key(), share::Snapshot{share::SnapshotEpoch(2), share::StateEpoch(7), Offset(5), 8,
                                      TimestampMs(100), TimestampMs(200), batches}});
  expect_same({key(), share::Snapshot{}});
  expect_same({key(), share::Update{share::SnapshotEpoch(2), Offset(6), 3, batches}});
  expect_same({key(), share::Forgotten{}});
}

TEST(ShareRecords, a_batch_that_cannot_be_is_left_out) {
  using enum share::RecordState;
  const std::vector<share::StateBatch> batches = {{Offset(9), Offset(5), kAcknowledged, 1},
                                                  {Offset(1), Offset(2), kAcquired, 1},
                                                  {Offset(3), Offset(4), kArchived, 1}};
  const auto bytes = encode_share_record({key(), share::Update{{}, Offset(0), 0, batches}});
  ASSERT_TRUE(bytes && bytes->value);
  const auto again = decode_share_record(bytes->key, *bytes->value);
  ASSERT_TRUE(again && *again);
  EXPECT_EQ(std::get<share::Update>((*again)->value).batches, std::vector{batches[2]});
}

TEST(ShareRecords, what_is_cut_short_is_an_error_and_what_is_unknown_is_skipped) {
  const auto bytes = encode_share_record({key(), share::Snapshot{}});
  ASSERT_TRUE(bytes && bytes->value);
  for (std::size_t size = 0; size < bytes->value->size(); ++size) {
    EXPECT_FALSE(decode_share_record(bytes->key, bytes->value->substr(0, size))) << size;
  }
  const auto unknown = decode_share_record(std::string("\x00\x09later", 7), std::nullopt);
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(*unknown);
}

TEST(ShareRecords, a_share_partition_is_named_by_group_topic_and_partition) {
  EXPECT_EQ(share_key_text(key()), "workers:-wAAAAAAAAAAAAAAAAAAAQ:3");
  EXPECT_TRUE(is_share_key_text(share_key_text(key())));
  EXPECT_TRUE(is_share_key_text("a:b:AAAAAAAAAAAAAAAAAAAAAA:0"));
  for (const auto* wrong :
       {"", "workers", "::", "a:AAAAAAAAAAAAAAAAAAAAAA:", "a:AAAAAAAAAAAAAAAAAAAAAA:-1",
        "a:AAAAAAAAAAAAAAAAAAAAAA:x", "a:AAAA:0", "a:AAAAAAAAAAAAAAAAAAAAA+:0"}) {
    EXPECT_FALSE(is_share_key_text(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace tailrace::kafka
