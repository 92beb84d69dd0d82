// A random life of a compacted topic: records and tombstones of few keys, from producers inside and
// outside transactions, with what every record was.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "log/log.h"
#include "log/testing/committed_view.h"
#include "rt/random.h"

namespace tailrace::log::testing {

class KeyedLife {
 public:
  KeyedLife(std::uint64_t seed, rt::ManualClock& clock) : random_(seed), clock_(clock) {}

  /// One write or marker; false when the log refused it.
  bool step(Partition& partition) {
    clock_.advance(std::chrono::milliseconds(10));
    const auto id = static_cast<std::int64_t>(random_.below(4)) - 1;
    if (id < 0) return write(partition, {});
    auto& one = producers_[id];
    if (one.open && random_.one_in(3)) return end(partition, id);
    const bool transactional = one.open || random_.one_in(2);
    const Producer producer{id, one.epoch, one.next, transactional};
    one.open = transactional;
    return write(partition, producer);
  }

  bool end(Partition& partition, std::int64_t id) {
    auto& one = producers_[id];
    const auto end = random_.one_in(2) ? TransactionEnd::kAbort : TransactionEnd::kCommit;
    const bool bump = random_.one_in(2);
    if (bump) ++one.epoch;
    if (bump) one.next = 0;
    one.open = false;
    return partition.end_transaction({id, one.epoch, end, 0}).has_value();
  }

  bool end_all(Partition& partition) {
    for (const auto& state : partition.open_transactions()) {
      if (!end(partition, state.id)) return false;
    }
    return true;
  }

  /// Every record that was written, by offset.
  const std::map<std::int64_t, SeenRecord>& written() const { return written_; }

 private:
  struct One {
    std::int16_t epoch = 0;
    std::int64_t next = 0;
    bool open = false;
  };

  bool write(Partition& partition, const Producer& producer) {
    constexpr Compression kSome[] = {Compression::kNone, Compression::kNone, Compression::kLz4,
                                     Compression::kZstd};
    RecordBatchBuilder builder(kSome[random_.below(4)]);
    std::vector<SeenRecord> records;
    const auto count = random_.between(1, 4);
    for (std::int64_t i = 0; i < count; ++i) {
      SeenRecord record{0, "key " + std::to_string(random_.below(25)), std::nullopt,
                        clock_.now().value + random_.between(-5, 5)};
      if (!random_.one_in(5)) record.value = "value " + std::to_string(++values_);
      builder.add({record.key, record.value, TimestampMs(record.timestamp), {}});
      records.push_back(record);
    }
    const auto done = partition.append_batches(builder.finish(producer).value());
    if (!done) return false;
    if (producer.id >= 0) producers_[producer.id].next += count;
    for (std::int64_t i = 0; i < count; ++i) {
      auto& record = records[static_cast<std::size_t>(i)];
      record.offset = done->base_offset.value + i;
      written_[record.offset] = record;
    }
    return true;
  }

  rt::Random random_;
  rt::ManualClock& clock_;
  std::map<std::int64_t, One> producers_;
  std::map<std::int64_t, SeenRecord> written_;
  std::int64_t values_ = 0;
};

}  // namespace tailrace::log::testing
