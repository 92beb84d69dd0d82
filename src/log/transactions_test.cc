// Transactions in a partition: what a read_committed reader may see, fencing, and that none of it
// is lost by restarts, crashes and missing files.
#include "log/transactions.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log.h"
#include "log/testing/committed_view.h"
#include "rt/random.h"
#include "rt/simulated_files.h"

namespace tailrace::log {
namespace {

using testing::committed_by_index;
using testing::committed_by_markers;

constexpr const char* kFolder = "/data/log";

TopicSettings small() {
  TopicSettings settings;
  settings.segment_bytes = 1024;
  settings.index_interval_bytes = 100;
  return settings;
}

std::unique_ptr<Log> open(rt::SimulatedFiles& files, rt::Clock& clock = rt::system_clock()) {
  auto log = Log::open(kFolder, {.checkpoint_interval_bytes = 1500, .seed = 1}, files, clock);
  EXPECT_TRUE(log) << log.error().what;
  if (!log) return nullptr;
  EXPECT_TRUE((*log)->ensure_topic("t", small()));
  return std::move(*log);
}

std::shared_ptr<Partition> first(Log& log) {
  return log.partition("t", PartitionId(0)).value();
}

std::string encoded(Producer producer, int count = 1, Compression compression = {}) {
  RecordBatchBuilder builder(compression);
  for (int i = 0; i < count; ++i) {
    builder.add({"key",
                 fmt::format("{}.{}", producer.id, producer.first_sequence + i),
                 TimestampMs(1000),
                 {}});
  }
  return std::string(builder.finish(producer).value());
}

Result<AppendResult> write(Partition& partition, Producer producer, int count = 1) {
  return partition.append_batches(encoded(producer, count));
}

Result<Offset> abort(Partition& partition, std::int64_t id, std::int16_t epoch = 0) {
  return partition.end_transaction({id, epoch, TransactionEnd::kAbort});
}
Result<Offset> commit(Partition& partition, std::int64_t id, std::int16_t epoch = 0) {
  return partition.end_transaction({id, epoch, TransactionEnd::kCommit});
}

std::vector<std::string> values(const std::vector<testing::SeenRecord>& records) {
  std::vector<std::string> found;
  for (const auto& record : records) found.push_back(record.value.value_or("-"));
  return found;
}

TEST(Transactions, an_open_one_holds_the_stable_offset_and_an_aborted_one_is_not_seen) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  auto partition = first(*log);
  ASSERT_TRUE(write(*partition, {1, 0, 0}));           // 0, outside any
  ASSERT_TRUE(write(*partition, {7, 0, 0, true}, 2));  // 1, 2
  ASSERT_TRUE(write(*partition, {8, 0, 0, true}));     // 3
  EXPECT_EQ(partition->last_stable_offset(), Offset(1));
  EXPECT_EQ(partition->high_watermark(), Offset(4));
  EXPECT_TRUE(partition->in_transaction(7, 0));
  EXPECT_EQ(values(committed_by_index(*partition)), (std::vector<std::string>{"1.0"}));
  ReadBuffer buffer;
  ASSERT_TRUE(partition->read(Offset(1), 1000, buffer, partition->last_stable_offset()));
  EXPECT_TRUE(buffer.empty());

  EXPECT_EQ(abort(*partition, 7), Offset(4));
  EXPECT_EQ(partition->last_stable_offset(), Offset(3));
  EXPECT_EQ(partition->aborted_transactions(Offset(0), Offset(3)).value(),
            (std::vector<AbortedTransaction>{{7, Offset(1), Offset(4), Offset(3)}}));
  EXPECT_EQ(commit(*partition, 8), Offset(5));
  EXPECT_EQ(partition->last_stable_offset(), Offset(6));
  EXPECT_EQ(values(committed_by_index(*partition)), (std::vector<std::string>{"1.0", "8.0"}));
  EXPECT_EQ(committed_by_index(*partition), committed_by_markers(*partition));
  EXPECT_TRUE(partition->aborted_transactions(Offset(5), Offset(6)).value().empty());
  EXPECT_EQ(partition->aborted_transactions(Offset(4), Offset(6)).value().size(), 1u);
  EXPECT_FALSE(partition->in_transaction(7, 0));
}

TEST(Transactions, records_outside_an_open_one_and_overlapping_ones_are_refused) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  auto partition = first(*log);
  ASSERT_TRUE(write(*partition, {7, 0, 0, true}, 3));
  EXPECT_EQ(write(*partition, {7, 0, 3}).error().code, Code::kAlreadyExists);
  EXPECT_EQ(write(*partition, {7, 0, 2, true}, 3).error().code, Code::kFailedPrecondition);
  EXPECT_EQ(write(*partition, {7, 0, 4, true}).error().code, Code::kFailedPrecondition);
  const auto again = write(*partition, {7, 0, 0, true}, 3).value();
  EXPECT_EQ(again.duplicates, 3);
  EXPECT_EQ(again.base_offset, Offset(0));
  EXPECT_EQ(partition->append_batches(marker_batch({7, 0, TransactionEnd::kCommit}, TimestampMs(1)))
                .error()
                .code,
            Code::kInvalidArgument);
  EXPECT_EQ(write(*partition, {-1, -1, -1, true}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(partition->next_offset(), Offset(3));
}

TEST(Transactions, what_was_verified_before_its_transaction_ended_does_not_open_another) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  auto partition = first(*log);
  ASSERT_TRUE(write(*partition, {7, 0, 0, true}));
  const auto verified = partition->end_markers(7);
  ASSERT_TRUE(commit(*partition, 7));
  const auto late =
      partition->append_batches(encoded({7, 0, 1, true}), Durability::kSync, verified);
  EXPECT_EQ(late.error().code, Code::kAlreadyExists);
  EXPECT_FALSE(partition->in_transaction(7, 0));
  EXPECT_EQ(partition->next_offset(), Offset(2));
  // What is here already is only told so, and others are not held up.
  EXPECT_EQ(partition->append_batches(encoded({7, 0, 0, true}), Durability::kSync, verified)
                .value()
                .duplicates,
            1);
  EXPECT_TRUE(partition->append_batches(encoded({8, 0, 0, true}), Durability::kSync,
                                        partition->end_markers(8)));
  EXPECT_TRUE(partition->append_batches(encoded({7, 0, 1, true}), Durability::kSync,
                                        partition->end_markers(7)));
}

TEST(Transactions, records_that_are_not_counted_belong_to_one_as_well) {
  rt::SimulatedFiles files(1);
  std::unique_ptr<Log> log = open(files);
  const std::vector<Record> records{{"key", "a", TimestampMs(1), {}},
                                    {"key", "b", TimestampMs(1), {}}};
  const Producer uncounted{7, 2, -1, true};
  ASSERT_TRUE(first(*log)->append(records, uncounted));
  ASSERT_TRUE(first(*log)->append(records, uncounted));
  EXPECT_TRUE(first(*log)->in_transaction(7, 2));
  EXPECT_EQ(first(*log)->next_offset(), Offset(4));
  EXPECT_EQ(first(*log)->last_sequence(7), std::nullopt);
  EXPECT_EQ(first(*log)->append(records, {7, 1, -1, true}).error().code, Code::kAborted);
  ASSERT_TRUE(log->close());
  log = open(files);
  ASSERT_TRUE(first(*log)->in_transaction(7, 2));
  ReadBuffer buffer;
  ASSERT_TRUE(first(*log)->read(Offset(0), 1000, buffer));
  auto batches = buffer.batches();
  BatchView batch;
  ASSERT_TRUE(batches.next(batch));
  EXPECT_EQ(batch.base_sequence(), -1);
  EXPECT_TRUE(batch.transactional());
  EXPECT_EQ(abort(*first(*log), 7, 2), Offset(4));
  EXPECT_TRUE(committed_by_index(*first(*log)).empty());
}

TEST(Transactions, old_epochs_and_old_coordinators_are_fenced_off) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  auto partition = first(*log);
  ASSERT_TRUE(write(*partition, {7, 3, 0, true}));
  EXPECT_EQ(write(*partition, {7, 2, 1, true}).error().code, Code::kAborted);
  EXPECT_EQ(abort(*partition, 7, 2).error().code, Code::kAborted);
  EXPECT_EQ(write(*partition, {7, 4, 1, true}).error().code, Code::kFailedPrecondition);
  ASSERT_TRUE(partition->end_transaction({7, 4, TransactionEnd::kAbort, 10}));
  EXPECT_EQ(partition->end_transaction({7, 4, TransactionEnd::kAbort, 9}).error().code,
            Code::kFailedPrecondition);
  EXPECT_EQ(write(*partition, {7, 3, 1, true}).error().code, Code::kAborted);
  EXPECT_EQ(write(*partition, {7, 4, 1, true}).error().code, Code::kFailedPrecondition);
  ASSERT_TRUE(write(*partition, {7, 4, 0, true}));
  // A producer that the log has not heard of, or has forgotten, begins anywhere (KIP-360).
  ASSERT_TRUE(write(*partition, {9, 5, 77, true}));
}

TEST(Transactions, of_the_second_version_a_marker_has_an_epoch_of_its_own) {
  rt::SimulatedFiles files(1);
  auto log = open(files);
  auto partition = first(*log);
  ASSERT_TRUE(write(*partition, {7, 3, 0, true}));
  EndMarker marker{7, 3, TransactionEnd::kCommit, 0, 2};
  EXPECT_EQ(partition->end_transaction(marker).error().code, Code::kAborted);
  marker.epoch = 4;
  ASSERT_TRUE(partition->end_transaction(marker));
  ASSERT_TRUE(partition->end_transaction(marker));  // it came again
  EXPECT_EQ(write(*partition, {7, 3, 1, true}).error().code, Code::kAborted);
  ASSERT_TRUE(write(*partition, {7, 4, 0, true}));
  EXPECT_EQ(partition->end_transaction(marker).error().code, Code::kAborted);
}

TEST(Transactions, of_all_producers_the_state_survives_a_stop) {
  rt::SimulatedFiles files(1);
  std::vector<ProducerState> before;
  {
    auto log = open(files);
    auto partition = first(*log);
    ASSERT_TRUE(write(*partition, {5, 1, 0}, 3));
    ASSERT_TRUE(write(*partition, {7, 0, 0, true}, 2));
    ASSERT_TRUE(write(*partition, {8, 0, 0, true}, 2));
    ASSERT_TRUE(partition->end_transaction({8, 2, TransactionEnd::kAbort, 11, 2}));
    ASSERT_TRUE(commit(*partition, 99));
    before = partition->active_producers();
    ASSERT_TRUE(log->close());
  }
  ASSERT_EQ(before.size(), 4u);
  EXPECT_EQ(before[0], (ProducerState{5, 1, 2, TimestampMs(1000), -1, Offset(-1)}));
  EXPECT_EQ(before[1], (ProducerState{7, 0, 1, TimestampMs(1000), -1, Offset(3)}));
  EXPECT_EQ(before[2].coordinator_epoch, 11);
  EXPECT_EQ(before[2].last_sequence, -1);
  auto log = open(files);
  auto partition = first(*log);
  EXPECT_EQ(partition->active_producers(), before);
  EXPECT_EQ(partition->last_stable_offset(), Offset(3));
  EXPECT_EQ(partition->open_transactions().size(), 1u);
  EXPECT_TRUE(partition->open_transactions(TimestampMs(1000)).empty());
  ASSERT_TRUE(commit(*partition, 7));
  EXPECT_EQ(partition->last_stable_offset(), partition->next_offset());
  EXPECT_EQ(committed_by_index(*partition), committed_by_markers(*partition));
}

TEST(Transactions, silent_producers_are_forgotten_but_named_and_busy_ones_are_not) {
  rt::SimulatedFiles files(1);
  rt::ManualClock clock(TimestampMs(5000));
  auto log = open(files, clock);
  auto partition = first(*log);
  ASSERT_TRUE(write(*partition, {5, 0, 0}));
  ASSERT_TRUE(write(*partition, {6, 0, 0, true}));
  ASSERT_TRUE(write(*partition, {kNamedProducers, 0, 0}));
  clock.advance(std::chrono::hours(23));
  ASSERT_TRUE(log->apply_retention());
  EXPECT_EQ(partition->active_producers().size(), 3u);
  clock.advance(std::chrono::hours(2));
  ASSERT_TRUE(log->apply_retention());
  EXPECT_EQ(partition->last_sequence(5), std::nullopt);
  EXPECT_EQ(partition->last_sequence(6), 0);
  EXPECT_EQ(partition->last_sequence(kNamedProducers), 0);
}

/// A random life: producers that write within transactions and without, end them, and begin epochs
/// anew, until the disk gives up.
class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {}

  bool step(Partition& partition) {
    const auto id = static_cast<std::int64_t>(random_.below(4));
    auto& one = producers_[id];
    if (one.open && random_.one_in(3)) {
      const auto end = random_.one_in(2) ? TransactionEnd::kAbort : TransactionEnd::kCommit;
      const bool bump = random_.one_in(2);
      const std::int16_t epoch = bump ? one.epoch + 1 : one.epoch;
      if (!partition.end_transaction({id, epoch, end, 0})) return false;
      if (bump) one = {epoch, 0, false};
      one.open = false;
      return true;
    }
    const bool transactional = one.open || random_.one_in(2);
    const auto count = static_cast<int>(random_.between(1, 4));
    if (!write(partition, {id, one.epoch, one.next, transactional}, count)) return false;
    one.next += count;
    one.open = transactional;
    return true;
  }

 private:
  struct One {
    std::int16_t epoch = 0;
    std::int64_t next = 0;
    bool open = false;
  };
  rt::Random random_;
  std::map<std::int64_t, One> producers_;
};

TEST(Transactions, a_crash_at_any_write_leaves_index_and_markers_agreeing) {
  for (std::uint64_t k = 1;; ++k) {
    SCOPED_TRACE(fmt::format("crash at write {}", k));
    rt::SimulatedFiles files(k);
    files.crash_at(k);
    if (auto log = Log::open(kFolder, {.checkpoint_interval_bytes = 700, .seed = 1}, files)) {
      if ((*log)->ensure_topic("t", small())) {
        Life life(k);
        for (int i = 0; i < 60 && life.step(*first(**log)); ++i) continue;
      }
    }
    const bool finished = !files.crashed();
    files.restart();
    auto log = open(files);
    ASSERT_TRUE(log);
    auto partition = first(*log);
    ASSERT_EQ(committed_by_index(*partition), committed_by_markers(*partition));
    for (const auto& state : partition->open_transactions()) {
      ASSERT_TRUE(abort(*partition, state.id, state.epoch));
    }
    ASSERT_EQ(partition->last_stable_offset(), partition->next_offset());
    ASSERT_EQ(committed_by_index(*partition), committed_by_markers(*partition));
    if (finished) {
      EXPECT_GT(k, 80u);
      break;
    }
  }
}

TEST(Transactions, lost_snapshots_and_lost_indexes_are_made_anew_from_the_batches) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    rt::SimulatedFiles files(seed);
    std::vector<ProducerState> before;
    std::vector<testing::SeenRecord> seen;
    {
      auto log = open(files);
      Life life(seed);
      for (int i = 0; i < 150; ++i) ASSERT_TRUE(life.step(*first(*log)));
      before = first(*log)->active_producers();
      seen = committed_by_index(*first(*log));
      ASSERT_TRUE(log->close());
    }
    const auto names = files.list("/data/log/t-0").value();
    for (const auto& name : names) {
      if (name.ends_with(".snapshot") || (seed % 2 == 0 && name.ends_with(".txnindex"))) {
        ASSERT_TRUE(files.remove("/data/log/t-0/" + name));
      }
    }
    auto log = open(files);
    ASSERT_EQ(first(*log)->active_producers(), before);
    ASSERT_EQ(committed_by_index(*first(*log)), seen);
    ASSERT_EQ(committed_by_markers(*first(*log)), seen);
  }
}

TEST(Transactions, whose_beginning_retention_took_stays_aborted_when_snapshots_are_lost) {
  rt::SimulatedFiles files(1);
  std::vector<testing::SeenRecord> seen;
  {
    auto log = open(files);
    auto partition = first(*log);
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(write(*partition, {7, 0, i, true}));
    ASSERT_TRUE(abort(*partition, 7));
    ASSERT_TRUE(write(*partition, {1, 0, 0}));
    ASSERT_TRUE(partition->delete_records(Offset(25)));
    seen = committed_by_index(*partition);
    ASSERT_TRUE(log->close());
  }
  EXPECT_EQ(values(seen), (std::vector<std::string>{"1.0"}));
  const auto names = files.list("/data/log/t-0").value();
  for (const auto& name : names) {
    const bool snapshot = name.ends_with(".snapshot");
    if (snapshot) {
      ASSERT_TRUE(files.remove("/data/log/t-0/" + name));
    }
  }
  auto log = open(files);
  EXPECT_EQ(committed_by_index(*first(*log)), seen);
}

}  // namespace
}  // namespace tailrace::log
