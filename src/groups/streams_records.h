// The records of streams groups (KIP-1071): typed keys and values, fields as Kafka's. records.h has
// the others and the variant of all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "groups/types.h"

namespace tailrace::groups {

/// A topic of a topology that only it reads and writes.
struct InternalTopic {
  std::string name;
  std::int32_t partitions = 0;   // 0: as many as what it is read or written beside
  std::int16_t replication = 0;  // 0: the broker's default
  std::vector<std::pair<std::string, std::string>> configs;
  auto operator<=>(const InternalTopic&) const = default;
};

/// Topics of one subtopology that must have equally many partitions, by their places in its lists.
struct CopartitionGroup {
  std::vector<std::int16_t> sources;
  std::vector<std::int16_t> source_regexes;
  std::vector<std::int16_t> repartitions;
  auto operator<=>(const CopartitionGroup&) const = default;
};

/// A part of a topology whose tasks are assigned as one: a task for each partition it reads.
struct Subtopology {
  std::string id{};
  std::vector<std::string> sources{};
  std::vector<std::string> source_regexes{};
  std::vector<InternalTopic> changelogs{};
  std::vector<std::string> repartition_sinks{};
  std::vector<InternalTopic> repartitions{};  // that it reads
  std::vector<CopartitionGroup> copartitions{};
  auto operator<=>(const Subtopology&) const = default;
};

/// Key type 23's value: what the program does, as its first member said it.
struct StreamsTopology {
  std::int32_t epoch = 0;
  std::vector<Subtopology> subtopologies{};
  auto operator<=>(const StreamsTopology&) const = default;
};

struct StreamsGroupTopologyKey {
  std::string group;
  auto operator<=>(const StreamsGroupTopologyKey&) const = default;
};

/// Key type 17.
struct StreamsGroupMetadataKey {
  std::string group;
  auto operator<=>(const StreamsGroupMetadataKey&) const = default;
};

struct StreamsGroupMetadataValue {
  MemberEpoch epoch{0};
  std::int64_t metadata_hash = 0;             // of the topics the topology needs (KIP-1101)
  std::int32_t validated_topology_epoch = 0;  // -1: its topics are not as they must be
  std::map<std::string, std::string> assignment_configs{};  // at the last epoch
  auto operator<=>(const StreamsGroupMetadataValue&) const = default;
};

/// Key type 19.
struct StreamsGroupMemberMetadataKey {
  std::string group;
  std::string member;
  auto operator<=>(const StreamsGroupMemberMetadataKey&) const = default;
};

/// Where a process answers interactive queries.
struct StreamsEndpoint {
  std::string host;
  std::uint16_t port = 0;
  auto operator<=>(const StreamsEndpoint&) const = default;
};

struct StreamsGroupMemberMetadataValue {
  std::optional<std::string> instance{};
  std::optional<std::string> rack{};
  Client client{};
  std::int32_t rebalance_timeout_ms = -1;
  std::int32_t topology_epoch = -1;
  std::string process{};
  std::optional<StreamsEndpoint> endpoint{};
  std::map<std::string, std::string> tags{};
  auto operator<=>(const StreamsGroupMemberMetadataValue&) const = default;
};

/// Key type 20.
struct StreamsGroupTargetAssignmentMetadataKey {
  std::string group;
  auto operator<=>(const StreamsGroupTargetAssignmentMetadataKey&) const = default;
};

struct StreamsGroupTargetAssignmentMetadataValue {
  MemberEpoch assignment_epoch{0};
  TimestampMs assignment_timestamp{0};
  auto operator<=>(const StreamsGroupTargetAssignmentMetadataValue&) const = default;
};

/// Key type 21.
struct StreamsGroupTargetAssignmentMemberKey {
  std::string group;
  std::string member;
  auto operator<=>(const StreamsGroupTargetAssignmentMemberKey&) const = default;
};

struct StreamsGroupTargetAssignmentMemberValue {
  TaskSet tasks;
  auto operator<=>(const StreamsGroupTargetAssignmentMemberValue&) const = default;
};

/// Key type 22.
struct StreamsGroupCurrentMemberAssignmentKey {
  std::string group;
  std::string member;
  auto operator<=>(const StreamsGroupCurrentMemberAssignmentKey&) const = default;
};

/// Active tasks with the epoch at which each came to its member.
using EpochTasks = std::map<std::string, std::map<std::int32_t, MemberEpoch>>;

struct OwnedTasks {
  EpochTasks active{};
  Tasks standby{};
  Tasks warmup{};
  auto operator<=>(const OwnedTasks&) const = default;
  bool is_empty() const { return active.empty() && standby.empty() && warmup.empty(); }
};

/// Where a member is on the way to its target; the numbers are the record's.
enum class StreamsMemberState : std::int8_t {
  kStable = 1,
  kUnrevokedTasks = 2,   // must give tasks up and say so
  kUnreleasedTasks = 3,  // waits for tasks others still have
  kUnknown = 127,        // a newer Kafka wrote it: the member must begin anew
};

struct StreamsGroupCurrentMemberAssignmentValue {
  MemberEpoch epoch{0};
  MemberEpoch previous_epoch{0};
  StreamsMemberState state = StreamsMemberState::kStable;
  OwnedTasks assigned{};
  OwnedTasks pending_revocation{};
  auto operator<=>(const StreamsGroupCurrentMemberAssignmentValue&) const = default;
};

}  // namespace tailrace::groups
