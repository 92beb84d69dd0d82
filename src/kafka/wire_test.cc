// Reader and Writer by Kafka's grammar of primitive types, and what they refuse.
#include "kafka/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/messages/fetch_request.h"
#include "kafka/messages/fetch_response.h"
#include "kafka/messages/metadata_request.h"

namespace tailrace::kafka {
namespace {

using ::testing::HasSubstr;

std::string written(auto&& write) {
  Writer writer;
  write(writer);
  const auto frame = writer.finish();
  return frame ? frame->joined() : frame.error().what;
}

std::string bytes(std::initializer_list<int> values) {
  std::string made;
  for (int value : values) made.push_back(static_cast<char>(value));
  return made;
}

Result<Frame> encoded(const auto& message, Version version) {
  Writer writer;
  TRY(message.encode(writer, version));
  return writer.finish();
}

TEST(Wire, compact_lengths_are_varints_of_one_more) {
  EXPECT_EQ(written([](Writer& w) { w.string(true, "abc", "f"); }),
            "\x04"
            "abc");
  EXPECT_EQ(written([](Writer& w) { w.string(true, std::string(127, 'x'), "f"); }),
            "\x80\x01" + std::string(127, 'x'));
  EXPECT_EQ(written([](Writer& w) { w.array(true, 300, "f"); }), "\xad\x02");
  EXPECT_EQ(written([](Writer& w) { w.string_or_null(true, true, {}, "f"); }), bytes({0}));
}

TEST(Wire, lengths_of_old_versions_are_fixed_and_minus_one_is_null) {
  EXPECT_EQ(written([](Writer& w) { w.string(false, "abc", "f"); }), bytes({0, 3, 'a', 'b', 'c'}));
  EXPECT_EQ(written([](Writer& w) { w.string_or_null(false, true, {}, "f"); }), "\xff\xff");
  EXPECT_EQ(written([](Writer& w) { w.bytes(false, "a", "f"); }), bytes({0, 0, 0, 1, 'a'}));
  EXPECT_EQ(written([](Writer& w) { w.null_array(false, true, "f"); }), "\xff\xff\xff\xff");
}

TEST(Wire, the_longest_varint_is_of_32_bits) {
  Reader most("\xff\xff\xff\xff\x0f");
  EXPECT_EQ(most.tag_count("f"), 0u);
  EXPECT_THAT(most.failure().what, HasSubstr("4294967295 tagged fields"));
  Reader over("\xff\xff\xff\xff\x1f");
  EXPECT_EQ(over.tag_count("f"), 0u);
  EXPECT_THAT(over.failure().what, HasSubstr("a varint of more than 32 bits"));
}

TEST(Wire, the_first_failure_stays_and_all_after_it_is_zero) {
  Reader reader(
      std::string_view("\0\x05"
                       "ab\x01\x02\x03\x04",
                       8));
  EXPECT_EQ(reader.string(false, "first"), "ab\x01\x02\x03");
  EXPECT_EQ(reader.int32("second"), 0);
  EXPECT_EQ(reader.int8("third"), 0);
  EXPECT_EQ(reader.failure().what, "frame v0, second at byte 7: takes 4 bytes, 1 are left");
}

TEST(Wire, a_failure_names_message_version_field_and_byte) {
  Reader reader(
      std::string_view("\0\0\0\x01\0\x09"
                       "abc",
                       9));
  const auto request = MetadataRequest::decode(reader, Version(0));
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().what,
            "MetadataRequest v0, MetadataRequestTopic.Name at byte 6: takes 9 bytes, 3 are left");
}

TEST(Wire, null_where_none_is_allowed_is_refused_by_both) {
  Reader reader("\xff\xff");
  reader.string(false, "f");
  EXPECT_THAT(reader.failure().what, HasSubstr("must not be null"));
  EXPECT_THAT(written([](Writer& w) { w.string_or_null(false, false, {}, "f"); }),
              HasSubstr("f: must not be null in this version"));
}

TEST(Wire, strings_end_at_32767_bytes_for_both) {
  EXPECT_EQ(written([](Writer& w) { w.string(true, std::string(32767, 'x'), "f"); }).size(),
            32770u);
  EXPECT_THAT(written([](Writer& w) { w.string(true, std::string(32768, 'x'), "f"); }),
              HasSubstr("a string of 32768 bytes"));
  const std::string frame = "\x81\x80\x02" + std::string(32768, 'x');
  Reader reader(frame);
  reader.string(true, "f");
  EXPECT_THAT(reader.failure().what, HasSubstr("a string of 32768 bytes"));
}

TEST(Wire, a_count_is_refused_before_memory_is_taken_for_it) {
  const std::string claims = bytes({0, 0, 1, 0}) + std::string(16, 'x');
  Reader reader(claims);
  EXPECT_EQ(reader.array(false, false, 1, 8, "f"), 0);
  EXPECT_THAT(reader.failure().what, HasSubstr("256 elements of at least 1 bytes"));
}

TEST(Wire, arrays_of_one_frame_share_its_memory_limit) {
  const std::string twice = bytes({0, 0, 0, 2, 1, 2, 0, 0, 0, 2, 1, 2});
  Reader reader(twice, {.array_bytes = 30});
  EXPECT_EQ(reader.array(false, false, 1, 8, "first"), 2);
  reader.int16("first");
  EXPECT_EQ(reader.array(false, false, 1, 8, "second"), 0);
  EXPECT_EQ(reader.failure().code, Code::kResourceExhausted);
  EXPECT_THAT(reader.failure().what, HasSubstr("second at byte 6: 2 elements of 8 bytes"));
}

TEST(Wire, a_tagged_field_is_as_long_as_it_says) {
  const std::string frame = bytes({1, 0, 3, 1, 2, 3});
  Reader reader(frame);
  EXPECT_EQ(reader.tag_count("s"), 1u);
  const Reader::Tag tag = reader.open_tag("s");
  reader.int16("f");
  reader.close_tag(tag, "s");
  EXPECT_THAT(reader.failure().what, HasSubstr("tagged field 0 should end at byte 6"));
}

TEST(Wire, bytes_after_the_end_are_a_failure_of_finish) {
  Reader reader("ab");
  reader.int8("f");
  EXPECT_EQ(reader.finish().error().what, "frame v0, end at byte 1: 1 bytes too many");
}

TEST(Wire, a_field_that_the_version_lacks_is_refused_unless_it_may_be_left_out) {
  FetchRequest ignored;
  ignored.session_id = 7;
  EXPECT_TRUE(encoded(ignored, Version(4)));
  EXPECT_EQ(encoded(ignored, Version(4))->joined(), encoded(FetchRequest{}, Version(4))->joined());
  MetadataRequest request;
  request.allow_auto_topic_creation = false;
  EXPECT_THAT(encoded(request, Version(3)).error().what,
              HasSubstr("MetadataRequest v3, MetadataRequest.AllowAutoTopicCreation: is set"));
}

TEST(Wire, large_records_are_inserted_between_the_frames_own_bytes_and_not_copied) {
  const std::string large(Writer::kInsertFromBytes, 'L');
  const std::string small = "small";
  Writer writer(Framing::kLengthPrefixed);
  writer.int16(7);
  writer.records(true, Records{.first = large, .rest = {small, large}}, "f");
  writer.int8(9);
  const auto frame = writer.finish();
  ASSERT_TRUE(frame);
  const auto pieces = frame->pieces();
  ASSERT_EQ(pieces.size(), 5u);
  EXPECT_EQ(pieces[1].data(), large.data());
  EXPECT_EQ(pieces[3].data(), large.data());
  const std::string whole = frame->joined();
  EXPECT_EQ(whole.size(), frame->size_bytes());
  Reader reader(whole);
  EXPECT_EQ(static_cast<std::size_t>(reader.int32("size")), whole.size() - 4);
  EXPECT_EQ(reader.int16("f"), 7);
  EXPECT_EQ(reader.records(true, "f").first, large + small + large);
  EXPECT_EQ(reader.int8("f"), 9);
  EXPECT_TRUE(reader.finish());
}

TEST(Wire, a_writer_that_failed_gives_its_failure_once_and_is_new_then) {
  Writer writer;
  writer.null_value("f");
  EXPECT_FALSE(writer.finish());
  writer.int8(1);
  EXPECT_EQ(writer.finish()->joined(), "\x01");
}

TEST(Wire, records_of_a_fetch_answer_point_into_the_frame) {
  FetchResponse answer;
  auto& partition = answer.responses.emplace_back().partitions.emplace_back();
  partition.records = Records{.first = "batch"};
  Writer writer;
  ASSERT_TRUE(answer.encode(writer, Version(4)));
  const std::string frame = writer.finish()->joined();
  Reader reader(frame);
  const auto again = FetchResponse::decode(reader, Version(4));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, answer);
  const std::string_view records = again->responses[0].partitions[0].records->first;
  EXPECT_GE(records.data(), frame.data());
  EXPECT_LE(records.data() + records.size(), frame.data() + frame.size());
}

}  // namespace
}  // namespace tailrace::kafka
