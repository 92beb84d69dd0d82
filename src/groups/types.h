// The words of the room: error codes, ids, topics and the answers' common parts.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/kafka_error.h"
#include "base/strong.h"

namespace tailrace::groups {

/// What a coordinator answers.
using ErrorCode = KafkaError;

/// An answer's number in the caller's books: an event carries it in, its Reply carries it out.
using RequestId = Strong<struct RequestTag, std::uint64_t>;
using Generation = Strong<struct GenerationTag, std::int32_t>;
using MemberEpoch = Strong<struct MemberEpochTag, std::int32_t>;
using ShareEpoch = Strong<struct ShareEpochTag, std::int32_t>;
using LeaderEpoch = Strong<struct LeaderEpochTag, std::int32_t>;

/// A producer in a transaction (KIP-98).
struct Producer {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  auto operator<=>(const Producer&) const = default;
};

/// A topic's id, 16 bytes; all zero is "none".
struct TopicId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const TopicId&) const = default;
  bool is_none() const { return *this == TopicId{}; }
};

/// Who asks, as describe shows it.
struct Client {
  std::string id;
  std::string host;
  auto operator<=>(const Client&) const = default;
};

/// A topic the broker has.
struct Topic {
  TopicId id;
  std::int32_t partitions = 0;
  auto operator<=>(const Topic&) const = default;
};

/// The topics there are, by name.
using Topics = std::map<std::string, Topic, std::less<>>;

/// Partitions by topic id: what a member owns or shall own.
using Assignment = std::map<TopicId, std::set<std::int32_t>>;

/// Tasks of a Kafka Streams topology: partitions by subtopology.
using Tasks = std::map<std::string, std::set<std::int32_t>>;

/// What a member of a streams group works on, or shall (KIP-1071).
struct TaskSet {
  Tasks active{};
  Tasks standby{};
  Tasks warmup{};
  auto operator<=>(const TaskSet&) const = default;
  bool is_empty() const { return active.empty() && standby.empty() && warmup.empty(); }
};

/// A protocol a classic member can speak (for consumers: an assignor) and what it says in it.
struct Protocol {
  std::string name;
  std::string metadata;
  auto operator<=>(const Protocol&) const = default;
};

using Millis = std::int64_t;

}  // namespace tailrace::groups
