// Who a runner is for the log, which drops what a producer has sent before.
#pragma once

#include <cstdint>
#include <string_view>

#include "log/partition.h"

namespace tailrace::connect {

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

/// The log lost a damaged tail, and said so: what follows must not be taken for a gap.
inline void catch_up(const log::Partition& partition, std::int64_t producer, std::int64_t& noted) {
  const std::int64_t held = sequence_after(partition, producer);
  if (log::sequence_ahead(noted, held) > 0) noted = held;
}

}  // namespace tailrace::connect
