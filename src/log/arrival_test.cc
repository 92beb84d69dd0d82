// Batches as a client sent them, and as they are stored.
#include "log/arrival.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "log/batch_builder.h"

namespace tailrace::log {
namespace {

constexpr TimestampMs kNow{1'700'000'000'000};

std::string batch_of(Compression compression, const std::vector<std::int64_t>& times) {
  RecordBatchBuilder builder(compression);
  for (const auto time : times) {
    builder.add({std::string_view("key"),
                 std::string_view("the same value again and again"),
                 TimestampMs(time),
                 {}});
  }
  return std::string(builder.finish({7, 1, 0}).value());
}

std::vector<std::int64_t> times_of(std::string_view bytes) {
  const auto batch = BatchView::parse(bytes);
  EXPECT_TRUE(batch && batch->bytes().size() == bytes.size() && batch->crc_matches());
  std::string plain;
  auto records = batch->records(plain);
  EXPECT_TRUE(records);
  std::vector<std::int64_t> times;
  for (RecordView record; records->next(record);) {
    EXPECT_EQ(record.value, "the same value again and again");
    times.push_back(record.timestamp.value);
  }
  EXPECT_TRUE(records->status());
  return times;
}

std::string stored(const std::string& batch, const ArrivalSettings& settings) {
  std::string out = "before";
  EXPECT_TRUE(store_arrived(BatchView::parse(batch).value(), settings, kNow, out));
  return out.substr(6);
}

TEST(Arrival, a_batch_stays_as_it_is_unless_a_setting_says_otherwise) {
  for (const auto codec : {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    const auto batch = batch_of(codec, {kNow.value, kNow.value + 1});
    EXPECT_EQ(stored(batch, {}), batch);
    EXPECT_EQ(stored(batch, {.compression = codec}), batch);
  }
}

TEST(Arrival, records_have_the_time_of_the_log_where_it_says_so) {
  for (const auto codec : {Compression::kNone, Compression::kGzip}) {
    const auto out = stored(batch_of(codec, {5, 6, 7}), {.log_append_time = true});
    EXPECT_EQ(times_of(out), (std::vector<std::int64_t>{kNow.value, kNow.value, kNow.value}));
    EXPECT_EQ(BatchView::parse(out)->max_timestamp(), kNow);
    EXPECT_EQ(BatchView::parse(out)->compression(), codec);
  }
}

TEST(Arrival, a_topic_of_one_compression_has_no_other) {
  for (const auto from : {Compression::kNone, Compression::kSnappy, Compression::kZstd}) {
    for (const auto to : {Compression::kNone, Compression::kGzip, Compression::kLz4}) {
      const auto out = stored(batch_of(from, {5, 6, 7}), {.compression = to});
      EXPECT_EQ(times_of(out), (std::vector<std::int64_t>{5, 6, 7}));
      const auto batch = BatchView::parse(out);
      EXPECT_EQ(batch->compression(), to);
      EXPECT_EQ(batch->producer_id(), 7);
      EXPECT_EQ(batch->record_count(), 3);
    }
  }
}

TEST(Arrival, times_too_far_from_now_are_kept_out) {
  const auto check = [](std::int64_t time, const ArrivalSettings& settings) {
    const auto batch = batch_of(Compression::kNone, {kNow.value, time});
    const auto checked = check_times(BatchView::parse(batch).value(), settings, kNow);
    return checked ? std::optional<Code>() : checked.error().code;
  };
  EXPECT_EQ(check(kNow.value + 3'600'000, {}), std::nullopt);
  EXPECT_EQ(check(kNow.value + 3'600'001, {}), Code::kDeadlineExceeded);
  EXPECT_EQ(check(kNow.value + 3'600'001, {.log_append_time = true}), std::nullopt);
  EXPECT_EQ(check(0, {}), std::nullopt);
  EXPECT_EQ(check(kNow.value - 1001, {.before_max_ms = 1000}), Code::kDeadlineExceeded);
  EXPECT_EQ(check(kNow.value - 1000, {.before_max_ms = 1000}), std::nullopt);
}

TEST(Arrival, the_level_is_that_of_the_topics_codec) {
  TopicSettings settings;
  settings.extra = {{"compression.gzip.level", "7"}, {"compression.zstd.level", "-5"}};
  EXPECT_EQ(arrival_settings(settings).level, std::nullopt);
  settings.compression = Compression::kGzip;
  EXPECT_EQ(arrival_settings(settings).level, 7);
  settings.compression = Compression::kZstd;
  EXPECT_EQ(arrival_settings(settings).level, -5);
  settings.compression = Compression::kLz4;
  EXPECT_EQ(arrival_settings(settings).level, std::nullopt);
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < 2000; ++i) times.push_back(kNow.value + i * i % 977);
  const auto plain = batch_of(Compression::kNone, times);
  const auto fast = stored(plain, {.compression = Compression::kGzip, .level = 1});
  const auto best = stored(plain, {.compression = Compression::kGzip, .level = 9});
  EXPECT_NE(best, fast);
  EXPECT_EQ(times_of(best), times);
}

TEST(Arrival, settings_are_read_by_kafkas_names) {
  TopicSettings topic;
  EXPECT_FALSE(arrival_settings(topic).compression);
  ASSERT_TRUE(set_setting(topic, "compression.type", "zstd"));
  ASSERT_TRUE(set_setting(topic, "message.timestamp.type", "LogAppendTime"));
  ASSERT_TRUE(set_setting(topic, "message.timestamp.after.max.ms", "5"));
  const auto found = arrival_settings(topic);
  EXPECT_EQ(found.compression, Compression::kZstd);
  EXPECT_TRUE(found.log_append_time);
  EXPECT_EQ(found.after_max_ms, 5);
  ASSERT_TRUE(set_setting(topic, "compression.type", "uncompressed"));
  EXPECT_EQ(arrival_settings(topic).compression, Compression::kNone);
}

}  // namespace
}  // namespace tailrace::log
