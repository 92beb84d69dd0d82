// Who a runner is for the log, which drops what a producer has sent before.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connect/source.h"
#include "log/batch_builder.h"
#include "log/find_header.h"
#include "log/partition.h"

namespace tailrace::connect {

inline constexpr std::size_t kReadBackBytes = 1 << 20;

/// FNV-1a with a high bit set: stable for a name, and far from the ids that a broker hands out from
/// 0.
inline std::int64_t producer_id(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : name) hash = (hash ^ c) * 0x100000001b3;
  return static_cast<std::int64_t>((hash >> 2) | (1ULL << 61));
}

inline std::int64_t sequence_after(const log::Partition& partition, std::int64_t producer) {
  const auto last = partition.last_sequence(producer);
  return last ? std::int64_t{*last} + 1 : 0;
}

/// Adds the ids (kIdHeader) of what the producer appended from offset `end` on. Nothing is read
/// where `sequence`, the next one that was noted, is still the log's.
inline Status ids_since(log::Partition& partition, std::int64_t producer, std::int64_t end,
                        std::int64_t sequence, std::vector<std::string>& ids) {
  const std::int64_t held = sequence_after(partition, producer);
  if (log::sequence_ahead(held, sequence) == 0) return {};
  log::ReadBuffer buffer;
  std::string plain;
  Offset at = std::max(Offset(end), partition.log_start());
  while (at < partition.next_offset()) {
    TRY(partition.read(at, kReadBackBytes, buffer));
    if (buffer.empty()) return {};
    log::BatchReader batches = buffer.batches();
    for (log::BatchView batch; batches.next(batch);) {
      at = batch.next_offset();
      if (batch.producer_id() != producer || batch.control()) continue;
      ASSIGN(auto records, batch.records(plain));
      for (log::RecordView record; records.next(record);) {
        if (record.offset.value < end) continue;
        if (const auto id = log::find_header(record.headers, kIdHeader)) ids.emplace_back(*id);
      }
      TRY(records.status());
    }
  }
  return {};
}

/// The log lost a damaged tail, and said so: what follows must not be taken for a gap.
inline void catch_up(const log::Partition& partition, std::int64_t producer, std::int64_t& noted) {
  const std::int64_t held = sequence_after(partition, producer);
  if (log::sequence_ahead(noted, held) > 0) noted = held;
}

}  // namespace tailrace::connect
