// What may happen to transactions: clients' requests without their versions, markers that are
// written, and time. The door does what depends on versions: PRODUCER_FENCED is
// INVALID_PRODUCER_EPOCH for older clients, and the like.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "transactions/types.h"

namespace tailrace::transactions {

/// KIP-98, 360, 939. With `expected` its producer goes on after an error.
struct InitProducerId {
  std::string id;
  std::int32_t timeout_ms = 0;
  std::optional<Producer> expected{};
  bool two_phase_commit = false;
  bool keep_prepared = false;
};

/// AddPartitionsToTxn and AddOffsetsToTxn, and what Produce and TxnOffsetCommit add on their way
/// (KIP-890).
struct AddPartitions {
  std::string id;
  Producer producer;
  Partitions partitions;
  Version version = kPlain;  // of the client
  /// The client did not ask for it, and shall not see that the transaction before is still ending:
  /// it waits a while.
  bool implicit = false;
};

/// Whether the partitions are in the transaction; nothing changes.
struct VerifyPartitions {
  std::string id;
  Producer producer;
  Partitions partitions;
};

struct EndTransaction {
  std::string id;
  Producer producer;
  bool commit = false;
  Version version = kPlain;  // of the client
};

/// What a WriteMarkers asked for is durable.
struct MarkersWritten {
  std::string id;
  Producer producer;
};

struct DescribeTransactions {
  std::vector<std::string> ids;
};

/// Empty filters let all pass (KIP-664, 994, 1152).
struct ListTransactions {
  std::vector<std::string> states;
  std::vector<std::int64_t> producer_ids;
  Millis running_longer_ms = -1;
  std::string pattern;  // an RE2 expression that the whole id matches
};

/// A deadline came.
struct Tick {};

using Happening = std::variant<InitProducerId, AddPartitions, VerifyPartitions, EndTransaction,
                               MarkersWritten, DescribeTransactions, ListTransactions, Tick>;

/// Requests have an id for their answer; the other events are not answered.
struct Event {
  RequestId request;
  Happening what;
};

}  // namespace tailrace::transactions
