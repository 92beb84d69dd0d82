// How a transaction changes, as pure functions from one value to the next; which of them is allowed
// when is said in transactions.h.
//
// Epochs (KIP-360, 890): the last one a client gets is 32766. 32767 is kept for fencing it off;
// then the transactional id goes on with another producer id.
#pragma once

#include <optional>

#include "transactions/records.h"

namespace tailrace::transactions {

inline constexpr std::int16_t kHighestEpoch = INT16_MAX;

/// Whether no client may get a higher epoch of this producer id.
constexpr bool is_exhausted(std::int16_t epoch) {
  return epoch >= kHighestEpoch - 1;
}

/// A transaction and the epoch before its own, by which a repeated InitProducerId is known. That
/// one is not in the record: who restarts has forgotten it.
struct Known {
  Transaction now;
  std::int16_t last_epoch = kNoEpoch;
};

/// A new producer id with epoch 0.
Known with_producer(const Known& from, std::int64_t id, std::int32_t timeout_ms, bool keeps_last,
                    TimestampMs now);
/// The next epoch, or the same one again when `expected` is the one before it; nothing when it is
/// fenced off.
std::optional<Known> with_next_epoch(const Known& from, std::optional<std::int16_t> expected,
                                     std::int32_t timeout_ms, TimestampMs now);
Known with_partitions(const Known& from, const Partitions& added, Version version, TimestampMs now);
/// Decided. With an epoch for each transaction the epoch grows; `next_id` is for when it cannot.
Known prepared(const Known& from, bool commit, Version version, std::int64_t next_id,
               TimestampMs now);
/// All markers are written.
Known completed(const Known& from, TimestampMs now);

/// Whether all of `some` are in `all`.
bool includes(const Partitions& all, const Partitions& some);

}  // namespace tailrace::transactions
