// The words of the room: error codes, states, producers and the partitions of a transaction.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/kafka_error.h"
#include "base/strong.h"

namespace tailrace::transactions {

/// What a coordinator answers.
using ErrorCode = KafkaError;

/// Where a transaction is (KIP-98); the numbers are the record's.
enum class State : std::int8_t {
  kEmpty = 0,           // a producer, and nothing written yet
  kOngoing = 1,         // it has partitions
  kPrepareCommit = 2,   // decided: the markers are on their way
  kPrepareAbort = 3,    //
  kCompleteCommit = 4,  // all markers are written
  kCompleteAbort = 5,   //
};

/// As DescribeTransactions and ListTransactions spell it: "PrepareCommit".
std::string_view state_name(State state);
/// Also of the states that Kafka has and never tells.
bool is_state_name(std::string_view name);

/// An answer's number in the caller's books: an event carries it in, its Reply carries it out.
using RequestId = Strong<struct RequestTag, std::uint64_t>;

inline constexpr std::int64_t kNoProducerId = -1;
inline constexpr std::int16_t kNoEpoch = -1;

struct Producer {
  std::int64_t id = kNoProducerId;
  std::int16_t epoch = kNoEpoch;
  auto operator<=>(const Producer&) const = default;
};

/// The level of transaction.version that a client speaks, or the cluster is set to (KIP-890):
/// 2 gives each transaction an epoch of its own.
using Version = Strong<struct TransactionVersionTag, std::int16_t>;
inline constexpr Version kPlain{0};
inline constexpr Version kEpochPerTransaction{2};

/// Partitions by topic.
using Partitions = std::map<std::string, std::set<std::int32_t>>;

using Millis = std::int64_t;

}  // namespace tailrace::transactions
