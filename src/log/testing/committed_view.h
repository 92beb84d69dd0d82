// What a read_committed reader sees of a partition, found out twice: by its aborted-transaction
// index, and from nothing but the batches and markers that can be read.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "log/partition.h"

namespace tailrace::log::testing {

struct SeenRecord {
  std::int64_t offset = 0;
  std::string key;
  std::optional<std::string> value;
  std::int64_t timestamp = 0;
  bool operator==(const SeenRecord&) const = default;
};

inline void PrintTo(const SeenRecord& record, std::ostream* out) {
  *out << record.key << "@" << record.offset << "=" << record.value.value_or("-") << " ("
       << record.timestamp << ")";
}

/// Every whole batch of [log start, upto), copied, read in pieces of about `piece` bytes.
inline std::vector<std::string> batches_of(Partition& partition, Offset upto,
                                           std::size_t piece = 500) {
  std::vector<std::string> found;
  ReadBuffer buffer;
  for (Offset at = partition.log_start(); at < upto;) {
    const auto done = partition.read(at, piece, buffer, upto);
    EXPECT_TRUE(done) << done.error().what;
    if (!done || buffer.empty()) break;
    auto batches = buffer.batches();
    for (BatchView batch; batches.next(batch); at = batch.next_offset()) {
      EXPECT_GT(batch.next_offset(), at);
      found.emplace_back(batch.bytes());
    }
  }
  return found;
}

inline void add_records(const BatchView& batch, std::vector<SeenRecord>& seen) {
  std::string plain;
  auto records = batch.records(plain).value();
  for (RecordView record; records.next(record);) {
    seen.push_back({record.offset.value, std::string(record.key.value_or("")),
                    record.value ? std::optional<std::string>(*record.value) : std::nullopt,
                    record.timestamp.value});
  }
  EXPECT_TRUE(records.status());
}

/// By last_stable_offset() and aborted_transactions().
inline std::vector<SeenRecord> committed_by_index(Partition& partition) {
  const Offset upto = partition.last_stable_offset();
  CommittedFilter filter(partition.aborted_transactions(partition.log_start(), upto).value());
  std::vector<SeenRecord> seen;
  for (const auto& bytes : batches_of(partition, upto)) {
    const auto batch = BatchView::parse(bytes).value();
    if (!filter.hides(batch)) add_records(batch, seen);
  }
  return seen;
}

/// By the markers alone: a transactional batch is seen when the next marker of its producer
/// commits.
inline std::vector<SeenRecord> committed_by_markers(Partition& partition) {
  const auto all = batches_of(partition, partition.next_offset());
  std::map<std::int64_t, bool> next_commits;
  std::vector<bool> visible(all.size());
  Offset first_open = partition.next_offset();
  for (std::size_t i = all.size(); i-- > 0;) {
    const auto batch = BatchView::parse(all[i]).value();
    const auto id = batch.producer_id();
    if (batch.control()) {
      const auto marker = parse_marker(batch);
      if (marker) next_commits[id] = marker->end == TransactionEnd::kCommit;
    } else if (!batch.transactional()) {
      visible[i] = true;
    } else if (const auto next = next_commits.find(id); next != next_commits.end()) {
      visible[i] = next->second;
    } else {
      first_open = batch.base_offset();
    }
  }
  std::vector<SeenRecord> seen;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto batch = BatchView::parse(all[i]).value();
    if (visible[i] && batch.base_offset() < first_open) add_records(batch, seen);
  }
  EXPECT_EQ(partition.last_stable_offset(), first_open);
  return seen;
}

/// The newest value of each key; a key whose newest record is a tombstone is not there.
inline std::map<std::string, SeenRecord> newest(const std::vector<SeenRecord>& seen) {
  std::map<std::string, SeenRecord> found;
  for (const auto& record : seen) found[record.key] = record;
  std::erase_if(found, [](const auto& one) { return !one.second.value; });
  return found;
}

}  // namespace tailrace::log::testing
