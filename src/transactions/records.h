// The records of __transaction_state as typed keys and values, fields as in Kafka's
// TransactionLogKey and TransactionLogValue. The bytes are another floor's work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "transactions/types.h"

namespace tailrace::transactions {

/// All that is kept of a transactional id.
struct Transaction {
  Producer producer;
  std::int64_t previous_id = kNoProducerId;  // the producer id before the last change of state
  std::int64_t next_id = kNoProducerId;      // the one to go on with when this one's epochs are out
  std::int32_t timeout_ms = 0;
  State state = State::kEmpty;
  Partitions partitions;
  TimestampMs updated{-1};
  TimestampMs started{-1};
  Version version = kPlain;  // what its client speaks
  bool operator==(const Transaction&) const = default;
};

/// A transactional id and what is kept of it; nothing is a tombstone.
struct Record {
  std::string id;
  std::optional<Transaction> value;
  bool operator==(const Record&) const = default;
};

}  // namespace tailrace::transactions
