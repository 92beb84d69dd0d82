// Records of the coordinators' topics: which type a key is, and what is no key or value.
// messages_test.cc compares their bytes with Kafka's.
#include "kafka/coordinator_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/messages/group_metadata_key.h"
#include "kafka/messages/offset_commit_key.h"
#include "kafka/messages/offset_commit_value.h"

namespace tailrace::kafka {
namespace {

using ::testing::HasSubstr;

TEST(CoordinatorRecord, a_key_says_its_type_before_it_is_decoded) {
  OffsetCommitKey key;
  key.group = "g";
  key.topic = "t";
  key.partition = 3;
  const auto bytes = encode_record_key(key);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, std::string("\0\x01\0\x01g\0\x01t\0\0\0\x03", 12));
  EXPECT_EQ(record_key_type(*bytes), OffsetCommitKey::kRecordKeyType);
  EXPECT_EQ(decode_record_key<OffsetCommitKey>(*bytes), key);
  EXPECT_THAT(decode_record_key<GroupMetadataKey>(*bytes).error().what,
              HasSubstr("GroupMetadataKey: a key of 12 bytes, type 1"));
  EXPECT_EQ(record_key_type("x").error().code, Code::kInvalidArgument);
}

TEST(CoordinatorRecord, a_value_of_a_newer_version_is_unimplemented_and_of_none_invalid) {
  OffsetCommitValue value;
  value.offset = 42;
  for (Version v = OffsetCommitValue::kLowest; v <= OffsetCommitValue::kHighest; ++v) {
    const auto bytes = encode_record_value(value, v);
    ASSERT_TRUE(bytes) << v.value;
    EXPECT_EQ(decode_record_value<OffsetCommitValue>(*bytes)->offset, 42);
  }
  const auto newer =
      decode_record_value<OffsetCommitValue>(std::string_view("\0\x63"
                                                              "abc",
                                                              5));
  EXPECT_EQ(newer.error().code, Code::kUnimplemented);
  EXPECT_THAT(newer.error().what, HasSubstr("OffsetCommitValue v99"));
  const auto none = decode_record_value<OffsetCommitValue>("");
  EXPECT_EQ(none.error().code, Code::kInvalidArgument);
  EXPECT_THAT(none.error().what, HasSubstr("OffsetCommitValue: "));
}

}  // namespace
}  // namespace tailrace::kafka
