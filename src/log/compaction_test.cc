// What compaction promises: the newest committed value of every key stays where it was, whatever
// happens while it runs, and what it replaces goes.
#include "log/compaction.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "log/key_map.h"
#include "log/log.h"
#include "log/testing/committed_view.h"
#include "log/testing/keyed_life.h"
#include "rt/simulated_files.h"

namespace tailrace::log {
namespace {

using testing::committed_by_index;
using testing::committed_by_markers;
using testing::KeyedLife;
using testing::newest;
using testing::SeenRecord;

constexpr const char* kFolder = "/data/log";
constexpr std::int64_t kDeleteRetention = 1000;

TopicSettings compacted() {
  TopicSettings settings;
  settings.segment_bytes = 1024;
  settings.index_interval_bytes = 100;
  settings.extra = {{"cleanup.policy", "compact"},
                    {"min.cleanable.dirty.ratio", "0"},
                    {"delete.retention.ms", std::to_string(kDeleteRetention)}};
  return settings;
}

std::unique_ptr<Log> open(rt::FileSystem& files, rt::Clock& clock,
                          std::uint64_t dedupe_bytes = 1 << 20) {
  auto log = Log::open(
      kFolder, {.checkpoint_interval_bytes = 1500, .dedupe_buffer_bytes = dedupe_bytes, .seed = 1},
      files, clock);
  EXPECT_TRUE(log) << log.error().what;
  if (!log) return nullptr;
  EXPECT_TRUE((*log)->ensure_topic("t", compacted()));
  return std::move(*log);
}

std::shared_ptr<Partition> first(Log& log) {
  return log.partition("t", PartitionId(0)).value();
}

/// Cleans until nothing is due; the last report.
std::optional<CleanReport> clean_all(Log& log) {
  std::optional<CleanReport> last;
  while (true) {
    auto report = log.clean();
    EXPECT_TRUE(report) << report.error().what;
    if (!report || !*report) return last;
    last = **report;
  }
}

Offset put(Partition& partition, std::string_view key, std::optional<std::string_view> value,
           Producer producer = {}) {
  RecordBatchBuilder builder;
  builder.add({key, value, TimestampMs(1000), {}});
  return partition.append_batches(builder.finish(producer).value()).value().base_offset;
}

/// So many records of other keys that those before lie in sealed segments.
void push_on(Partition& partition) {
  static int turn = 0;
  ++turn;
  const std::string value(120, 'x');
  for (int i = 0; i < 14; ++i) put(partition, fmt::format("filler {} {}", turn, i), value);
}

std::vector<std::int64_t> offsets_of(Partition& partition, const std::string& key) {
  std::vector<SeenRecord> all;
  for (const auto& bytes : testing::batches_of(partition, partition.next_offset())) {
    const auto batch = BatchView::parse(bytes).value();
    if (!batch.control()) testing::add_records(batch, all);
  }
  std::vector<std::int64_t> found;
  for (const auto& record : all) {
    if (record.key == key) found.push_back(record.offset);
  }
  return found;
}

TEST(PlanCleaning, begins_where_the_last_one_ended_and_ends_before_what_is_open_or_young) {
  const std::vector<SegmentFacts> segments = {{Offset(0), Offset(10), 100, TimestampMs(100)},
                                              {Offset(10), Offset(20), 100, TimestampMs(200)},
                                              {Offset(20), Offset(30), 100, TimestampMs(300)},
                                              {Offset(30), Offset(40), 50, TimestampMs(400)}};
  CompactionSettings settings;
  settings.on = true;
  CleanFacts facts{segments, {}, Offset(0), Offset(10), Offset(40), TimestampMs(1000)};
  auto plan = plan_cleaning(facts, settings);
  EXPECT_EQ(plan.from, Offset(10));
  EXPECT_EQ(plan.to, Offset(30));
  EXPECT_EQ(plan.clean_bytes, 100u);
  EXPECT_EQ(plan.dirty_bytes, 200u);
  EXPECT_TRUE(plan.due);
  settings.min_dirty_ratio = 0.7;
  EXPECT_FALSE(plan_cleaning(facts, settings).due);
  settings.max_lag_ms = 500;
  const std::vector<TimestampMs> first = {TimestampMs(90), TimestampMs(499), TimestampMs(600),
                                          TimestampMs(700)};
  facts.first_timestamps = first;
  EXPECT_TRUE(plan_cleaning(facts, settings).due);
  facts.now = TimestampMs(999);
  EXPECT_FALSE(plan_cleaning(facts, settings).due);
  facts.last_stable = Offset(29);
  EXPECT_EQ(plan_cleaning(facts, settings).to, Offset(20));
  facts.last_stable = Offset(30);
  settings.min_lag_ms = 800;
  EXPECT_EQ(plan_cleaning(facts, settings).to, Offset(10));
  EXPECT_FALSE(plan_cleaning(facts, settings).due);
  settings = {};
  EXPECT_FALSE(plan_cleaning(facts, settings).due);
}

TEST(PlanCleaning, neighbours_become_one_segment_while_they_fit) {
  const std::vector<SegmentFacts> segments = {{Offset(0), Offset(10), 60, {}},
                                              {Offset(10), Offset(20), 40, {}},
                                              {Offset(20), Offset(30), 1, {}},
                                              {Offset(30), Offset(3'000'000'000), 1, {}}};
  EXPECT_EQ(group_segments(segments, 100), (std::vector<std::size_t>{2, 1, 1}));
  EXPECT_EQ(group_segments(segments, 1), (std::vector<std::size_t>{1, 1, 1, 1}));
}

TEST(KeyMap, keeps_the_last_offset_of_each_key_and_says_when_it_is_full) {
  rt::Random random(1);
  KeyMap map(1000, 1 << 20, random);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(map.put(map.digest(std::to_string(i)), Offset(round * 1000 + i)));
    }
  }
  EXPECT_EQ(map.size(), 1000u);
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(map.find(map.digest(std::to_string(i))), Offset(1000 + i));
  EXPECT_EQ(map.find(map.digest("x")), Offset(-1));
  KeyMap tiny(1000, 50 * 24, random);
  std::int64_t taken = 0;
  while (tiny.put(tiny.digest(std::to_string(taken)), Offset(taken))) ++taken;
  EXPECT_EQ(taken, 45);
  EXPECT_TRUE(tiny.put(tiny.digest("0"), Offset(99)));
  EXPECT_EQ(tiny.find(tiny.digest("44")), Offset(44));
}

TEST(Compaction, a_record_without_key_is_refused) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(1000));
  auto log = open(files, clock);
  RecordBatchBuilder builder;
  builder.add({"k", "v", TimestampMs(1), {}});
  builder.add({std::nullopt, "v", TimestampMs(1), {}});
  EXPECT_EQ(first(*log)->append_batches(builder.finish().value()).error().code,
            Code::kInvalidArgument);
  const Record record{std::nullopt, "v", TimestampMs(1), {}};
  EXPECT_EQ(first(*log)->append({&record, 1}).error().code, Code::kInvalidArgument);
}

TEST(Compaction, a_tombstone_stays_until_its_horizon_and_then_goes) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(10'000));
  auto log = open(files, clock);
  auto partition = first(*log);
  put(*partition, "a", "1");
  put(*partition, "a", "2");
  const Offset tombstone = put(*partition, "a", std::nullopt);
  push_on(*partition);
  clean_all(*log);
  EXPECT_EQ(offsets_of(*partition, "a"), std::vector<std::int64_t>{tombstone.value});
  ReadBuffer buffer;
  ASSERT_TRUE(partition->read(tombstone, 1, buffer));
  BatchView batch;
  auto batches = buffer.batches();
  ASSERT_TRUE(batches.next(batch));
  EXPECT_EQ(batch.delete_horizon(), TimestampMs(10'000 + kDeleteRetention));
  std::vector<SeenRecord> seen;
  testing::add_records(batch, seen);
  EXPECT_EQ(seen.front().timestamp, 1000);

  clock.set(TimestampMs(10'000 + kDeleteRetention - 1));
  push_on(*partition);
  clean_all(*log);
  EXPECT_EQ(offsets_of(*partition, "a").size(), 1u);
  clock.set(TimestampMs(10'000 + kDeleteRetention));
  push_on(*partition);
  clean_all(*log);
  EXPECT_TRUE(offsets_of(*partition, "a").empty());
}

TEST(Compaction, aborted_records_go_at_once_and_their_marker_after_them) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(10'000));
  auto log = open(files, clock);
  auto partition = first(*log);
  put(*partition, "a", "committed");
  put(*partition, "a", "aborted", {7, 0, 0, true});
  put(*partition, "b", "aborted", {7, 0, 1, true});
  const Offset marker = partition->end_transaction({7, 0, TransactionEnd::kAbort, 0}).value();
  put(*partition, "c", "1", {7, 0, 2});  // so the producer's last batch is another one
  const auto markers = [&] {
    int found = 0;
    for (const auto& bytes : testing::batches_of(*partition, partition->next_offset())) {
      found += BatchView::parse(bytes)->control() ? 1 : 0;
    }
    return found;
  };
  push_on(*partition);
  clean_all(*log);
  EXPECT_EQ(offsets_of(*partition, "a"), std::vector<std::int64_t>{0});
  EXPECT_TRUE(offsets_of(*partition, "b").empty());
  EXPECT_EQ(markers(), 1);
  EXPECT_EQ(partition->aborted_transactions(Offset(0), Offset(marker)).value().size(), 1u);
  push_on(*partition);
  clean_all(*log);  // finds no batch: the marker begins to wait
  EXPECT_EQ(markers(), 1);
  EXPECT_TRUE(partition->aborted_transactions(Offset(0), Offset(marker)).value().empty());
  clock.advance(std::chrono::milliseconds(kDeleteRetention));
  push_on(*partition);
  clean_all(*log);
  EXPECT_EQ(markers(), 0);
}

TEST(Compaction, nothing_at_or_above_an_open_transaction_is_touched) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(10'000));
  auto log = open(files, clock);
  auto partition = first(*log);
  put(*partition, "a", "1");
  put(*partition, "a", "2");
  push_on(*partition);
  put(*partition, "b", "1", {7, 0, 0, true});
  put(*partition, "c", "1");
  put(*partition, "c", "2");
  push_on(*partition);
  clean_all(*log);
  EXPECT_EQ(offsets_of(*partition, "a").size(), 1u);
  EXPECT_EQ(offsets_of(*partition, "c").size(), 2u);
  ASSERT_TRUE(partition->end_transaction({7, 0, TransactionEnd::kCommit, 0}));
  push_on(*partition);
  clean_all(*log);
  EXPECT_EQ(offsets_of(*partition, "b").size(), 1u);
  EXPECT_EQ(offsets_of(*partition, "c").size(), 1u);
}

TEST(Compaction, sequences_survive_although_all_records_of_a_producer_are_replaced) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(10'000));
  auto log = open(files, clock);
  for (int i = 0; i < 5; ++i) put(*first(*log), "a", "x", {7, 3, i});
  put(*first(*log), "a", "y");
  push_on(*first(*log));
  clean_all(*log);
  EXPECT_EQ(offsets_of(*first(*log), "a"), std::vector<std::int64_t>{5});
  ASSERT_TRUE(log->close());
  log.reset();
  const auto names = files.list("/data/log/t-0").value();
  for (const auto& name : names) {
    const bool snapshot = name.ends_with(".snapshot");
    if (snapshot) {
      ASSERT_TRUE(files.remove("/data/log/t-0/" + name));
    }
  }
  log = open(files, clock);
  EXPECT_EQ(first(*log)->last_sequence(7), 4);
}

TEST(Compaction, keyless_records_of_a_topic_that_became_compacted_go) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(10'000));
  auto log = Log::open(kFolder, {.seed = 1}, files, clock).value();
  auto settings = compacted();
  settings.extra.erase("cleanup.policy");
  ASSERT_TRUE(log->create_topic("t", settings));
  const std::string value(300, 'x');
  const Record record{std::nullopt, value, TimestampMs(1), {}};
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(first(*log)->append({&record, 1}));
  EXPECT_EQ(log->clean().value(), std::nullopt);
  settings.extra["cleanup.policy"] = "compact,delete";
  ASSERT_TRUE(log->alter_topic("t", settings));
  const auto report = clean_all(*log);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->counts.records_kept, 0u);
  EXPECT_LT(report->counts.bytes_kept, 100u);
  settings.extra["cleanup.policy"] = "delete";
  ASSERT_TRUE(log->alter_topic("t", settings));
  ASSERT_TRUE(log->close());
  log = Log::open(kFolder, {.seed = 1}, files, clock).value();
  EXPECT_FALSE(testing::batches_of(*first(*log), Offset(10)).empty());  // gaps are no damage
}

/// Every record that is there is the very one that was written at its offset.
void expect_as_written(Partition& partition, const KeyedLife& life) {
  std::vector<SeenRecord> all;
  for (const auto& bytes : testing::batches_of(partition, partition.next_offset())) {
    const auto batch = BatchView::parse(bytes).value();
    ASSERT_TRUE(batch.crc_matches());
    if (!batch.control()) testing::add_records(batch, all);
  }
  for (const auto& record : all) {
    const auto found = life.written().find(record.offset);
    ASSERT_TRUE(found != life.written().end());
    ASSERT_EQ(record, found->second);
  }
}

class RandomLives : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomLives, keep_the_newest_committed_value_of_every_key_and_nothing_twice) {
  const std::uint64_t seed = GetParam();
  rt::SimulatedFiles files(seed);
  rt::ManualClock clock(TimestampMs(1'000'000));
  // A third of the lives has hardly any memory for keys.
  const std::uint64_t dedupe_bytes = seed % 3 == 0 ? 24 * 16 : 1 << 20;
  auto log = open(files, clock, dedupe_bytes);
  KeyedLife life(seed, clock);
  rt::Random random(seed);
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(life.step(*first(*log)));
    if (random.one_in(3)) {
      ASSERT_TRUE(life.end_all(*first(*log)));
    }
    if (random.one_in(3)) clock.advance(std::chrono::milliseconds(kDeleteRetention));
    auto partition = first(*log);
    const auto before = newest(committed_by_markers(*partition));
    const auto states = partition->active_producers();
    const Offset stable = partition->last_stable_offset();
    const auto report = log->clean();
    ASSERT_TRUE(report) << report.error().what;
    ASSERT_EQ(committed_by_index(*partition), committed_by_markers(*partition));
    ASSERT_EQ(newest(committed_by_index(*partition)), before);
    ASSERT_EQ(partition->last_stable_offset(), stable);
    ASSERT_EQ(partition->active_producers(), states);
    expect_as_written(*partition, life);
    if (*report) {
      std::set<std::string> keys;
      for (const auto& record : committed_by_index(*partition)) {
        const bool fresh = keys.insert(record.key).second;
        ASSERT_TRUE(fresh || Offset(record.offset) >= (*report)->to);
      }
    }
    if (random.one_in(2)) {
      partition.reset();
      ASSERT_TRUE(log->close());
      log.reset();
      if (random.one_in(2)) {
        const auto names = files.list("/data/log/t-0").value();
        for (const auto& name : names) {
          const bool lost = name.ends_with(".snapshot") || name.ends_with("index");
          if (lost && !name.ends_with(".txnindex")) {
            ASSERT_TRUE(files.remove("/data/log/t-0/" + name));
          }
        }
      }
      log = open(files, clock, dedupe_bytes);
      ASSERT_EQ(newest(committed_by_index(*first(*log))), before);
      ASSERT_EQ(first(*log)->last_stable_offset(), stable);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Compaction, RandomLives, ::testing::Range<std::uint64_t>(1, 61));

TEST(Compaction, a_crash_at_any_write_of_a_cleaning_leaves_all_that_counts) {
  for (std::uint64_t k = 1;; ++k) {
    SCOPED_TRACE(fmt::format("crash at write {}", k));
    rt::SimulatedFiles files(k);
    rt::ManualClock clock(TimestampMs(1'000'000));
    KeyedLife life(3, clock);
    std::map<std::string, SeenRecord> before;
    bool finished = false;
    {
      auto log = open(files, clock);
      for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(life.step(*first(*log)));
        ASSERT_TRUE(log->sync());
        clock.advance(std::chrono::milliseconds(kDeleteRetention));
        before = newest(committed_by_markers(*first(*log)));
        if (round == 0) clean_all(*log);
      }
      files.crash_at(k);
      const auto done = log->clean();
      finished = done && !files.crashed();
    }
    files.restart();
    auto log = open(files, clock);
    ASSERT_TRUE(log);
    auto partition = first(*log);
    ASSERT_EQ(committed_by_index(*partition), committed_by_markers(*partition));
    ASSERT_EQ(newest(committed_by_index(*partition)), before);
    const auto names = files.list("/data/log/t-0").value();
    for (const auto& name : names) {
      ASSERT_FALSE(name.ends_with(".cleaned") || name.ends_with(".swap")) << name;
    }
    clean_all(*log);
    ASSERT_EQ(newest(committed_by_index(*partition)), before);
    expect_as_written(*partition, life);
    if (finished) {
      EXPECT_GT(k, 40u);
      break;
    }
  }
}

TEST(Compaction, a_full_disk_leaves_everything_as_it_was) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(10'000));
  auto log = open(files, clock);
  KeyedLife life(1, clock);
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(life.step(*first(*log)));
  ASSERT_TRUE(life.end_all(*first(*log)));
  const auto before = newest(committed_by_markers(*first(*log)));
  std::uint64_t used = 0;
  const auto names = files.list("/data/log/t-0").value();
  for (const auto& name : names) used += files.content("/data/log/t-0/" + name).size();
  files.set_capacity(used + 300);
  EXPECT_EQ(log->clean().error().code, Code::kResourceExhausted);
  EXPECT_EQ(log->clean().value(), std::nullopt);  // not again at once
  files.set_capacity(1 << 30);
  EXPECT_EQ(newest(committed_by_index(*first(*log))), before);
  clock.advance(std::chrono::minutes(2));
  EXPECT_TRUE(clean_all(*log));
  EXPECT_EQ(newest(committed_by_index(*first(*log))), before);
}

TEST(Compaction, appends_reads_and_retention_go_on_beside_it) {
  rt::SimulatedFiles files(1);
  auto log = open(files, rt::system_clock());
  auto settings = compacted();
  settings.extra["cleanup.policy"] = "compact,delete";
  settings.retention_ms = -1;
  settings.retention_bytes = 40'000;
  ASSERT_TRUE(log->alter_topic("t", settings));
  auto partition = first(*log);
  std::atomic<bool> done = false;
  std::thread cleaner([&] {
    while (!done) {
      const auto report = log->clean();
      EXPECT_TRUE(report || report.error().code == Code::kCancelled) << report.error().what;
      EXPECT_TRUE(log->apply_retention());
    }
  });
  std::thread reader([&] {
    ReadBuffer buffer;
    Offset at;
    while (at < Offset(6000)) {
      const auto read = partition->read(at, 2000, buffer);
      if (!read) {
        ASSERT_EQ(read.error().code, Code::kOutOfRange) << read.error().what;
        at = partition->log_start();
        continue;
      }
      if (buffer.empty()) partition->wait_for(at, std::chrono::milliseconds(10));
      auto batches = buffer.batches();
      for (BatchView batch; batches.next(batch); at = batch.next_offset()) {
        ASSERT_GT(batch.next_offset(), at);
        std::vector<SeenRecord> seen;
        testing::add_records(batch, seen);
        for (const auto& record : seen) {
          ASSERT_EQ(record.value, fmt::format("value {:060}", record.offset));
        }
      }
    }
  });
  for (int i = 0; i < 6000; ++i) {
    const std::string value = fmt::format("value {:060}", i);
    put(*partition, fmt::format("key {}", i % 37), value);
  }
  reader.join();
  done = true;
  cleaner.join();
  const auto left = newest(committed_by_index(*partition));
  EXPECT_EQ(left.size(), 37u);
}

}  // namespace
}  // namespace tailrace::log
