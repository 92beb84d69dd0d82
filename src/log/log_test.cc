// What the log promises: nothing acknowledged is lost, nothing is doubled, nothing corrupt is
// served.
#include "log/log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "log/retention.h"
#include "rt/simulated_files.h"

namespace tailrace::log {
namespace {

using testing::HasSubstr;

constexpr const char* kFolder = "/data/log";
const std::string kFirst = "/data/log/t-0/00000000000000000000.log";

std::unique_ptr<Log> open(rt::SimulatedFiles& files, rt::Clock& clock = rt::system_clock()) {
  auto log = Log::open(kFolder, {.checkpoint_interval_bytes = 2000, .seed = 1}, files, clock);
  EXPECT_TRUE(log) << log.error().what;
  return log ? std::move(*log) : nullptr;
}

std::shared_ptr<Partition> first(Log& log) {
  return log.partition("t", PartitionId(0)).value();
}

Result<AppendResult> add(Partition& partition, std::int64_t from, std::int64_t count,
                         Producer producer = {}) {
  std::vector<std::string> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(fmt::format("value {:06}", from + i));
  std::vector<Record> records;
  for (const auto& value : values) records.push_back({"key", value, TimestampMs(1000 + from), {}});
  return partition.append(records, producer);
}

/// All values from the log start on.
std::vector<std::string> values_of(Partition& partition) {
  std::vector<std::string> values;
  ReadBuffer buffer;
  std::string plain;
  for (Offset at = partition.log_start(); at < partition.next_offset();) {
    const auto done = partition.read(at, 300, buffer);
    EXPECT_TRUE(done) << done.error().what;
    if (!done || buffer.empty()) break;
    auto batches = buffer.batches();
    for (BatchView batch; batches.next(batch);) {
      auto records = batch.records(plain).value();
      for (RecordView record; records.next(record);) {
        if (record.offset < at) continue;
        EXPECT_EQ(record.offset, at);
        values.emplace_back(*record.value);
        at = record.offset + 1;
      }
      at = batch.next_offset();
    }
  }
  return values;
}

TopicSettings small() {
  TopicSettings settings;
  settings.segment_bytes = 1024;
  settings.index_interval_bytes = 100;
  return settings;
}

/// segment.jitter.ms: each partition closes its segment at another time, none later than
/// segment.ms and none earlier than that less the jitter.
TEST(Log, segments_that_began_together_do_not_close_together) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(1'000'000));
  auto log = Log::open(kFolder, {.seed = 1}, files, clock).value();
  TopicSettings settings;
  settings.partitions = 10;
  settings.segment_ms = 10'000;
  settings.extra["segment.jitter.ms"] = "5000";
  ASSERT_TRUE(log->create_topic("t", settings));
  const auto closed = [&] {
    int found = 0;
    for (std::int32_t i = 0; i < settings.partitions; ++i) {
      const auto folder = fmt::format("{}/t-{}", kFolder, i);
      const auto names = files.list(folder).value();
      found +=
          std::ranges::count_if(names, [](const auto& one) { return one.ends_with(".log"); }) > 1;
    }
    return found;
  };
  const auto append_to_all = [&] {
    for (std::int32_t i = 0; i < settings.partitions; ++i) {
      const std::vector<Record> one = {{"k", "v", clock.now(), {}}};
      ASSERT_TRUE(log->partition("t", PartitionId(i)).value()->append(one));
    }
  };
  append_to_all();
  clock.advance(std::chrono::milliseconds(4'900));
  append_to_all();
  EXPECT_EQ(closed(), 0);
  clock.advance(std::chrono::milliseconds(2'600));
  append_to_all();
  EXPECT_GT(closed(), 0);
  EXPECT_LT(closed(), 10);
  clock.advance(std::chrono::milliseconds(2'600));
  append_to_all();
  EXPECT_EQ(closed(), 10);
}

TEST(Log, keeps_records_topics_and_sequences_over_a_restart) {
  rt::SimulatedFiles files(1);
  {
    auto log = open(files);
    ASSERT_TRUE(log->create_topic("t", small()));
    EXPECT_EQ(log->create_topic("t").error().code, Code::kAlreadyExists);
    auto partition = first(*log);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(add(*partition, i * 3, 3, {9, 0, i * 3}));
    ASSERT_TRUE(log->close());
  }
  auto log = open(files);
  auto partition = first(*log);
  EXPECT_EQ(log->topics().size(), 1u);
  EXPECT_EQ(log->topic("t")->settings, small());
  EXPECT_EQ(partition->next_offset(), Offset(300));
  EXPECT_LT(partition->recovery().scanned_bytes, 1000u);  // the last batch, and no more
  EXPECT_EQ(partition->last_sequence(9), 299);
  const auto again = add(*partition, 298, 4, {9, 0, 298}).value();
  EXPECT_EQ(again.duplicates, 2);
  EXPECT_EQ(again.appended, 2);
  EXPECT_EQ(again.base_offset, Offset(300));
  EXPECT_EQ(add(*partition, 0, 1, {9, 0, 400}).error().code, Code::kFailedPrecondition);
  const auto values = values_of(*partition);
  ASSERT_EQ(values.size(), 302u);
  for (int i = 0; i < 302; ++i) EXPECT_EQ(values[i], fmt::format("value {:06}", i));
}

TEST(Log, a_crash_at_any_write_loses_nothing_acknowledged_and_doubles_nothing) {
  for (std::uint64_t k = 1;; ++k) {
    SCOPED_TRACE(fmt::format("crash at write {}", k));
    rt::SimulatedFiles files(k);
    std::int64_t acknowledged = 0;
    files.crash_at(k);
    if (auto log = Log::open(kFolder, {.checkpoint_interval_bytes = 500, .seed = 1}, files)) {
      if ((*log)->ensure_topic("t", small())) {
        auto partition = first(**log);
        while (acknowledged < 60 && add(*partition, acknowledged, 4, {5, 0, acknowledged})) {
          acknowledged += 4;
        }
      }
    }
    const bool finished = !files.crashed();
    files.restart();
    auto log = open(files);
    ASSERT_TRUE(log);
    ASSERT_TRUE(log->ensure_topic("t", small()));
    auto partition = first(*log);
    ASSERT_GE(partition->next_offset().value, acknowledged);
    // The producer goes on from what it knows; the log drops what it has.
    for (std::int64_t i = acknowledged; i < 80; i += 4)
      ASSERT_TRUE(add(*partition, i, 4, {5, 0, i}));
    const auto values = values_of(*partition);
    ASSERT_EQ(values.size(), 80u);
    for (int i = 0; i < 80; ++i) ASSERT_EQ(values[i], fmt::format("value {:06}", i));
    if (finished) {
      EXPECT_GT(k, 50u);
      break;
    }
  }
}

/// A log of many partitions, each with a few records, which are `value_bytes` long.
std::unique_ptr<Log> write_many(rt::SimulatedFiles& files, int partitions, std::size_t value_bytes,
                                int* acknowledged = nullptr) {
  auto opened = Log::open(kFolder, {.seed = 1}, files);
  if (!opened) return nullptr;
  TopicSettings settings;
  settings.partitions = partitions;
  if (!(*opened)->ensure_topic("t", settings)) return nullptr;
  const std::string value(value_bytes, 'v');
  const std::vector<Record> record = {{"key", value, TimestampMs(1000), {}}};
  for (int i = 0; i < partitions; ++i) {
    const auto partition = (*opened)->partition("t", PartitionId(i)).value();
    for (int n = 0; n < 3; ++n)
      if (!partition->append(record, {5, 0, n})) return nullptr;
    if (acknowledged != nullptr) ++*acknowledged;
  }
  return std::move(*opened);
}

/// Whether the first partitions have what write_many() wrote; what the start scanned of each.
std::uint64_t check_many(Log& log, int partitions, std::size_t value_bytes) {
  std::uint64_t most_scanned = 0;
  for (int i = 0; i < partitions; ++i) {
    const auto partition = log.partition("t", PartitionId(i)).value();
    const auto values = values_of(*partition);
    EXPECT_EQ(values.size(), 3u) << i;
    EXPECT_EQ(values[0].size(), value_bytes);
    EXPECT_EQ(partition->last_sequence(5), 2) << i;
    most_scanned = std::max(most_scanned, partition->recovery().scanned_bytes);
  }
  return most_scanned;
}

TEST(Log, closing_many_partitions_with_few_bytes_makes_no_files_for_them) {
  for (const int partitions : {20, 200}) {
    rt::SimulatedFiles files(1);
    auto log = write_many(files, partitions, 100);
    const auto before = files.calls();
    ASSERT_TRUE(log->close());
    EXPECT_LE(files.calls() - before, 20u);
    for (int start = 0; start < 2; ++start) {
      log.reset();
      log = open(files);
      EXPECT_LT(check_many(*log, partitions, 100), 1000u);
    }
  }
}

TEST(Log, after_closing_many_partitions_little_of_each_is_scanned) {
  constexpr int kPartitions = 20;
  constexpr std::size_t kValueBytes = 10'000;
  rt::SimulatedFiles files(1);
  auto log = write_many(files, kPartitions, kValueBytes);
  const auto before = files.calls();
  ASSERT_TRUE(log->close());
  // Some calls a partition, none of which waits for the disk, and some for all.
  EXPECT_LE(files.calls() - before, 12u * kPartitions + 20);
  log.reset();
  log = open(files);
  EXPECT_LT(check_many(*log, kPartitions, kValueBytes), 2 * kValueBytes);  // the last batch
}

TEST(Log, a_crash_at_any_write_of_closing_many_partitions_loses_nothing) {
  constexpr int kPartitions = 9;
  for (const std::size_t value_bytes : {10, 10'000}) {
    bool finished = false;
    for (std::uint64_t k = 1; !finished; ++k) {
      SCOPED_TRACE(fmt::format("{} bytes, crash at write {}", value_bytes, k));
      rt::SimulatedFiles files(k);
      files.crash_at(k);
      int acknowledged = 0;
      if (auto log = write_many(files, kPartitions, value_bytes, &acknowledged))
        finished = log->close().has_value();
      files.restart();
      for (int start = 0; start < 2; ++start) {
        auto log = open(files);
        ASSERT_TRUE(log);
        check_many(*log, acknowledged, value_bytes);
        ASSERT_FALSE(testing::Test::HasFailure());
      }
    }
  }
}

TEST(Log, corruption_in_the_middle_of_the_last_segment_takes_it_offline_with_its_place) {
  rt::SimulatedFiles files(1);
  {
    auto log = Log::open(kFolder, {.seed = 1}, files).value();
    ASSERT_TRUE(log->create_topic("t"));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(add(*first(*log), i, 1));
    files.crash_at(1);
  }
  files.restart();
  const auto size = files.content(kFirst).size();
  files.overwrite(kFirst, size / 2, "rotten");
  const auto log = Log::open(kFolder, {}, files).value();
  const auto refused = log->partition("t", PartitionId(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDataLoss);
  EXPECT_THAT(refused.error().what, HasSubstr("t-0@5: " + kFirst));
  EXPECT_THAT(refused.error().what, HasSubstr("byte"));
}

TEST(Log, a_torn_tail_is_cut_to_the_last_good_batch) {
  rt::SimulatedFiles files(1);
  {
    auto log = Log::open(kFolder, {.seed = 1}, files).value();
    ASSERT_TRUE(log->create_topic("t"));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(add(*first(*log), i, 1));
    files.crash_at(1);
  }
  files.restart();
  const auto size = files.content(kFirst).size();
  files.overwrite(kFirst, size - 3, "xyz");
  auto log = open(files);
  EXPECT_EQ(first(*log)->next_offset(), Offset(9));
  EXPECT_EQ(first(*log)->recovery().truncated_bytes, size / 10);
}

TEST(Log, a_tail_that_rotted_after_a_stop_is_cut_and_its_offsets_are_not_given_out_again) {
  rt::SimulatedFiles files(1);
  {
    auto log = open(files);
    ASSERT_TRUE(log->create_topic("t"));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(add(*first(*log), i, 2, {7, 0, i * 2}));
    ASSERT_TRUE(log->close());
  }
  files.overwrite(kFirst, files.content(kFirst).size() - 3, "xyz");
  for (int start = 0; start < 2; ++start) {
    auto log = open(files);
    auto partition = first(*log);
    EXPECT_EQ(partition->next_offset(), Offset(20 + start));
    EXPECT_EQ(values_of(*partition).size(), 18u + start);
    ASSERT_TRUE(add(*partition, 20 + start, 1));
  }
}

TEST(Log, offsets_that_were_skipped_hold_no_records_and_reading_goes_on_after_them) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  ASSERT_TRUE(log->create_topic("t", small()));
  auto partition = first(*log);
  ASSERT_TRUE(add(*partition, 0, 3));
  ASSERT_TRUE(partition->skip_to(Offset(50'000'000)));
  EXPECT_EQ(partition->next_offset(), Offset(50'000'000));
  ASSERT_TRUE(add(*partition, 3, 2));
  EXPECT_EQ(values_of(*partition).size(), 5u);
  log->close().value();
  log.reset();
  log = open(files);
  EXPECT_EQ(first(*log)->next_offset(), Offset(50'000'002));
  EXPECT_EQ(values_of(*first(*log)).size(), 5u);
}

TEST(Log, corruption_in_an_older_segment_is_refused_at_read) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  ASSERT_TRUE(log->create_topic("t", small()));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(add(*first(*log), i, 1));
  files.overwrite(kFirst, 80, "rotten");
  ReadBuffer buffer;
  const auto refused = first(*log)->read(Offset(0), 100, buffer);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDataLoss);
  EXPECT_THAT(refused.error().what, HasSubstr("t-0@0: " + kFirst + " is corrupt at byte 0"));
}

TEST(Log, a_full_disk_fails_the_append_and_work_goes_on_when_there_is_room) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  ASSERT_TRUE(log->create_topic("t"));
  auto partition = first(*log);
  ASSERT_TRUE(add(*partition, 0, 5));
  files.set_capacity(files.content(kFirst).size() + 250);
  EXPECT_EQ(add(*partition, 5, 50).error().code, Code::kResourceExhausted);
  EXPECT_EQ(partition->next_offset(), Offset(5));
  files.set_capacity(1 << 20);
  ASSERT_TRUE(add(*partition, 5, 50));
  EXPECT_EQ(values_of(*partition).size(), 55u);
}

TEST(Log, an_oversized_record_is_refused_by_size_and_limit) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  TopicSettings settings;
  settings.max_message_bytes = 1000;
  ASSERT_TRUE(log->create_topic("t", settings));
  const std::string big(1000, 'x');
  const Record record{{}, big, TimestampMs(1), {}};
  const auto refused = first(*log)->append({&record, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_THAT(refused.error().what, HasSubstr("larger than max.message.bytes=1000"));
}

TEST(Log, encoded_batches_are_stamped_and_a_known_prefix_is_dropped) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  ASSERT_TRUE(log->create_topic("t"));
  auto partition = first(*log);
  ASSERT_TRUE(add(*partition, 0, 3, {4, 0, 0}));
  RecordBatchBuilder builder(Compression::kLz4);
  std::vector<std::string> values;
  for (int i = 1; i < 6; ++i) values.push_back(fmt::format("value {:06}", i));
  for (const auto& value : values) builder.add({"key", value, TimestampMs(5), {}});
  const auto result = partition->append_batches(builder.finish({4, 0, 1}).value()).value();
  EXPECT_EQ(result.duplicates, 2);
  EXPECT_EQ(result.appended, 3);
  EXPECT_EQ(values_of(*partition).size(), 6u);
  EXPECT_EQ(values_of(*partition).back(), "value 000005");
}

TEST(Log, finds_offsets_by_time_and_moves_the_start) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  ASSERT_TRUE(log->create_topic("t", small()));
  auto partition = first(*log);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(add(*partition, i, 1));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(partition->offset_for_time(TimestampMs(1000 + i)).value(),
              (TimedOffset{Offset(i), TimestampMs(1000 + i)}));
  }
  EXPECT_EQ(partition->offset_for_time(TimestampMs(1100)).value(), std::nullopt);
  ASSERT_TRUE(partition->delete_records(Offset(50)));
  EXPECT_EQ(partition->log_start(), Offset(50));
  EXPECT_EQ(values_of(*partition).size(), 50u);
  ReadBuffer buffer;
  EXPECT_EQ(partition->read(Offset(49), 10, buffer).error().code, Code::kOutOfRange);
  log->close().value();
  log.reset();
  log = open(files);
  EXPECT_EQ(first(*log)->log_start(), Offset(50));
}

TEST(Log, retention_by_time_removes_whole_segments) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(2000));
  auto log = open(files, clock);
  auto settings = small();
  settings.retention_ms = 1000;
  ASSERT_TRUE(log->create_topic("t", settings));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(add(*first(*log), i, 1));
  EXPECT_EQ(log->apply_retention().value(), 0);
  clock.set(TimestampMs(5000));
  EXPECT_GT(log->apply_retention().value(), 3);
  EXPECT_EQ(first(*log)->log_start(), Offset(100));
  EXPECT_EQ(first(*log)->next_offset(), Offset(100));
}

TEST(Log, retention_keeps_what_is_yet_to_be_read) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  auto settings = small();
  settings.retention_bytes = 0;
  ASSERT_TRUE(log->create_topic("t", settings));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(add(*first(*log), i, 1));
  EXPECT_GT(log->apply_retention([](const Partition&) { return Offset(40); }).value(), 0);
  EXPECT_GT(first(*log)->log_start(), Offset(0));
  EXPECT_LE(first(*log)->log_start(), Offset(40));
  EXPECT_EQ(log->apply_retention([](const Partition&) { return Offset(40); }).value(), 0);
}

TEST(Log, many_appenders_and_a_waiting_reader_see_every_record_once) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  ASSERT_TRUE(log->create_topic("t", small()));
  auto partition = first(*log);
  std::vector<std::thread> appenders;
  for (int a = 0; a < 4; ++a) {
    appenders.emplace_back([&, a] {
      for (int i = 0; i < 100; ++i) EXPECT_TRUE(add(*partition, a * 1000 + i, 1, {a, 0, i}));
    });
  }
  std::int64_t seen = 0;
  ReadBuffer buffer;
  while (seen < 400 && partition->wait_for(Offset(seen), std::chrono::seconds(30))) {
    ASSERT_TRUE(partition->read(Offset(seen), 1000, buffer));
    auto batches = buffer.batches();
    for (BatchView batch; batches.next(batch);) seen = batch.next_offset().value;
  }
  for (auto& appender : appenders) appender.join();
  EXPECT_EQ(seen, 400);
  EXPECT_EQ(partition->durable_end(), Offset(400));
  auto values = values_of(*partition);
  std::ranges::sort(values);
  EXPECT_EQ(std::ranges::unique(values).size(), 0u);
  EXPECT_EQ(values.size(), 400u);
}

TEST(Retention, by_size_keeps_at_least_the_bytes_asked_for) {
  const std::vector<SegmentFacts> segments = {{Offset(0), Offset(10), 100, TimestampMs(1)},
                                              {Offset(10), Offset(20), 100, TimestampMs(2)},
                                              {Offset(20), Offset(30), 50, TimestampMs(3)}};
  TopicSettings settings;
  settings.retention_ms = -1;
  settings.retention_bytes = 150;
  EXPECT_EQ(expired_segments(segments, settings, Offset(0), TimestampMs(9)), 1u);
  settings.retention_bytes = -1;
  EXPECT_EQ(expired_segments(segments, settings, Offset(20), TimestampMs(9)), 2u);
  settings.retention_ms = 0;
  EXPECT_EQ(expired_segments(segments, settings, Offset(0), TimestampMs(9)), 2u);
}

}  // namespace
}  // namespace tailrace::log
