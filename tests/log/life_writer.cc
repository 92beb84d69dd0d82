// Writes two topics for Kafka's own tools to read: life_writer LOG_FOLDER.
//
// "ledger" holds transactions: committed, aborted and open ones of several producers, over several
// segments. "keyed" is compacted, with tombstones, and was cleaned twice. What a reader of either
// must find is printed: lines of producers, aborted transactions and batches.
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "base/check.h"
#include "log/log.h"

namespace tailrace::log {
namespace {

void write(Partition& partition, const Producer& producer, int first, int count, int keys) {
  RecordBatchBuilder builder(first % 3 == 0 ? Compression::kLz4 : Compression::kNone);
  for (int i = first; i < first + count; ++i) {
    const std::string key = fmt::format("key {}", i % keys);
    const std::string value = fmt::format("value {:040}", i);
    const bool tombstone = i % 7 == 0;
    builder.add({key,
                 tombstone ? std::nullopt : std::optional<std::string_view>(value),
                 TimestampMs(1'700'000'000'000 + i),
                 {}});
  }
  partition.append_batches(builder.finish(producer).value(), Durability::kNoSync).value();
}

void end(Partition& partition, std::int64_t id, std::int16_t epoch, TransactionEnd end) {
  partition.end_transaction({id, epoch, end, 3}, Durability::kNoSync).value();
}

/// Producer 100 writes outside transactions, 101 in ones that are aborted by turns, 102 commits.
void write_life(Partition& partition, std::int16_t epoch, int rounds, int keys) {
  int next = epoch * 1000;
  std::int64_t sequence[3] = {0, 0, 0};
  for (int round = 0; round < rounds; ++round) {
    for (std::int64_t id = 0; id < 3; ++id) {
      const bool transactional = id > 0;
      for (int batch = 0; batch < 2; ++batch) {
        write(partition, {100 + id, epoch, sequence[id], transactional}, next, 3, keys);
        sequence[id] += 3;
        next += 3;
      }
    }
    end(partition, 101, epoch, round % 2 == 0 ? TransactionEnd::kAbort : TransactionEnd::kCommit);
    end(partition, 102, epoch, TransactionEnd::kCommit);
    write(partition, {}, next, 2, keys);
    next += 2;
  }
}

void show(Log& log, const std::string& topic) {
  const auto partition = log.partition(topic, PartitionId(0)).value();
  fmt::print("{} end {} stable {}\n", topic, partition->next_offset().value,
             partition->last_stable_offset().value);
  for (const auto& state : partition->active_producers()) {
    fmt::print("{} producer {} epoch {} sequence {} coordinator {} open {}\n", topic, state.id,
               state.epoch, state.last_sequence, state.coordinator_epoch,
               state.transaction_start.value);
  }
  const auto aborted =
      partition->aborted_transactions(Offset(0), partition->last_stable_offset()).value();
  for (const auto& one : aborted) {
    fmt::print("{} aborted {} {} {} {}\n", topic, one.producer_id, one.first.value, one.last.value,
               one.last_stable.value);
  }
  ReadBuffer buffer;
  for (Offset at; at < partition->next_offset();) {
    partition->read(at, 1 << 20, buffer).value();
    auto batches = buffer.batches();
    for (BatchView batch; batches.next(batch); at = batch.next_offset()) {
      const auto horizon = batch.delete_horizon();
      fmt::print("{} batch {} {} count {} horizon {}\n", topic, batch.base_offset().value,
                 batch.last_offset().value, batch.record_count(), horizon ? horizon->value : -1);
    }
  }
}

void write_all(const std::string& folder) {
  auto log = Log::open(folder, {.seed = 1}).value();
  TopicSettings settings;
  settings.segment_bytes = 4096;
  settings.index_interval_bytes = 512;
  log->create_topic("ledger", settings).value();
  settings.extra = {{"cleanup.policy", "compact"},
                    {"min.cleanable.dirty.ratio", "0"},
                    {"delete.retention.ms", "0"}};
  log->create_topic("keyed", settings).value();
  for (const char* topic : {"ledger", "keyed"}) {
    const auto partition = log->partition(topic, PartitionId(0)).value();
    for (std::int16_t epoch = 0; epoch < 3; ++epoch) {
      write_life(*partition, epoch, 12, 40);
      while (log->clean().value()) continue;
    }
    write(*partition, {103, 0, 0, true}, 0, 2, 40);
    end(*partition, 104, 5, TransactionEnd::kAbort);
  }
  log->close().value();
  log.reset();
  log = Log::open(folder, {.seed = 1}).value();
  show(*log, "ledger");
  show(*log, "keyed");
}

}  // namespace
}  // namespace tailrace::log

int main(int argc, char** argv) {
  CHECK(argc == 2);
  tailrace::log::write_all(argv[1]);
}
