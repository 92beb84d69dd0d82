// The records of __consumer_offsets as typed keys and values, fields and versions as Kafka's.
//
// A key's number is its type on the wire (the first two bytes of the key): 1 offset, 2 classic
// group, 3 to 8 and 16 consumer group (KIP-848), 10 to 15 share group (KIP-932), 17 and 19 to 23
// streams group (KIP-1071, streams_records.h). A record without a value is a tombstone. The bytes
// are another floor's work.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "groups/streams_records.h"
#include "groups/types.h"

namespace tailrace::groups {

/// Key types 0 and 1.
struct OffsetCommitKey {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const OffsetCommitKey&) const = default;
};

/// Value version 4; expire_timestamp is of version 1 only (-1: none).
struct OffsetCommitValue {
  std::int64_t offset = -1;
  LeaderEpoch leader_epoch{-1};
  std::string metadata;
  TimestampMs commit_timestamp{-1};
  TimestampMs expire_timestamp{-1};
  TopicId topic_id;
  auto operator<=>(const OffsetCommitValue&) const = default;
};

/// Key type 2.
struct GroupMetadataKey {
  std::string group;
  auto operator<=>(const GroupMetadataKey&) const = default;
};

/// Value version 4. A group with members was stable when it was written.
struct GroupMetadataValue {
  struct Member {
    std::string id;
    std::optional<std::string> instance;
    Client client;
    std::int32_t rebalance_timeout_ms = -1;  // -1: as the session timeout (version 0)
    std::int32_t session_timeout_ms = 0;
    std::string subscription;
    std::string assignment;
    auto operator<=>(const Member&) const = default;
  };
  std::string protocol_type;  // empty: none
  Generation generation{0};
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  TimestampMs state_timestamp{-1};
  std::vector<Member> members;
  auto operator<=>(const GroupMetadataValue&) const = default;
};

/// Key type 3.
struct ConsumerGroupMetadataKey {
  std::string group;
  auto operator<=>(const ConsumerGroupMetadataKey&) const = default;
};

struct ConsumerGroupMetadataValue {
  MemberEpoch epoch{0};
  std::int64_t metadata_hash = 0;  // of the subscribed topics (KIP-1101)
  auto operator<=>(const ConsumerGroupMetadataValue&) const = default;
};

/// Key type 5.
struct ConsumerGroupMemberMetadataKey {
  std::string group;
  std::string member;
  auto operator<=>(const ConsumerGroupMemberMetadataKey&) const = default;
};

/// What a member of the classic protocol says when it joins.
struct ClassicMember {
  std::int32_t session_timeout_ms = 0;
  std::vector<Protocol> protocols{};
  bool supports(const std::string& protocol) const {
    return std::ranges::find(protocols, protocol, &Protocol::name) != protocols.end();
  }
  auto operator<=>(const ClassicMember&) const = default;
};

struct ConsumerGroupMemberMetadataValue {
  std::optional<std::string> instance{};
  std::optional<std::string> rack{};
  Client client{};
  std::vector<std::string> subscribed_topics{};   // sorted
  std::optional<std::string> subscribed_regex{};  // empty: none
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::string> server_assignor{};
  std::optional<ClassicMember> classic{};  // none: it speaks the consumer protocol
  auto operator<=>(const ConsumerGroupMemberMetadataValue&) const = default;
};

/// Key type 6.
struct ConsumerGroupTargetAssignmentMetadataKey {
  std::string group;
  auto operator<=>(const ConsumerGroupTargetAssignmentMetadataKey&) const = default;
};

struct ConsumerGroupTargetAssignmentMetadataValue {
  MemberEpoch assignment_epoch{0};
  TimestampMs assignment_timestamp{0};  // KIP-1263
  auto operator<=>(const ConsumerGroupTargetAssignmentMetadataValue&) const = default;
};

/// Key type 7.
struct ConsumerGroupTargetAssignmentMemberKey {
  std::string group;
  std::string member;
  auto operator<=>(const ConsumerGroupTargetAssignmentMemberKey&) const = default;
};

struct ConsumerGroupTargetAssignmentMemberValue {
  Assignment partitions;
  auto operator<=>(const ConsumerGroupTargetAssignmentMemberValue&) const = default;
};

/// Key type 8.
struct ConsumerGroupCurrentMemberAssignmentKey {
  std::string group;
  std::string member;
  auto operator<=>(const ConsumerGroupCurrentMemberAssignmentKey&) const = default;
};

/// Partitions with the epoch at which each came to its member.
using EpochAssignment = std::map<TopicId, std::map<std::int32_t, MemberEpoch>>;

/// Where a member is on the way to its target; the numbers are the record's.
enum class MemberState : std::int8_t {
  kStable = 0,                // at the target of its epoch
  kUnrevokedPartitions = 1,   // must give partitions up and say so
  kUnreleasedPartitions = 2,  // waits for partitions others still hold
};

struct ConsumerGroupCurrentMemberAssignmentValue {
  MemberEpoch epoch{0};
  MemberEpoch previous_epoch{0};
  MemberState state = MemberState::kStable;
  EpochAssignment assigned{};
  EpochAssignment pending_revocation{};
  auto operator<=>(const ConsumerGroupCurrentMemberAssignmentValue&) const = default;
};

/// Key type 16.
struct ConsumerGroupRegularExpressionKey {
  std::string group;
  std::string regex;
  auto operator<=>(const ConsumerGroupRegularExpressionKey&) const = default;
};

struct ConsumerGroupRegularExpressionValue {
  std::vector<std::string> topics;  // sorted
  std::int64_t version = 0;         // of the topics it was matched against
  TimestampMs timestamp{0};
  auto operator<=>(const ConsumerGroupRegularExpressionValue&) const = default;
};

/// Key type 11.
struct ShareGroupMetadataKey {
  std::string group;
  auto operator<=>(const ShareGroupMetadataKey&) const = default;
};

struct ShareGroupMetadataValue {
  MemberEpoch epoch{0};
  std::int64_t metadata_hash = 0;  // of the subscribed topics (KIP-1101)
  auto operator<=>(const ShareGroupMetadataValue&) const = default;
};

/// Key type 10.
struct ShareGroupMemberMetadataKey {
  std::string group;
  std::string member;
  auto operator<=>(const ShareGroupMemberMetadataKey&) const = default;
};

struct ShareGroupMemberMetadataValue {
  std::optional<std::string> rack{};
  Client client{};
  std::vector<std::string> subscribed_topics{};  // sorted
  auto operator<=>(const ShareGroupMemberMetadataValue&) const = default;
};

/// Key type 12.
struct ShareGroupTargetAssignmentMetadataKey {
  std::string group;
  auto operator<=>(const ShareGroupTargetAssignmentMetadataKey&) const = default;
};

struct ShareGroupTargetAssignmentMetadataValue {
  MemberEpoch assignment_epoch{0};
  TimestampMs assignment_timestamp{0};
  auto operator<=>(const ShareGroupTargetAssignmentMetadataValue&) const = default;
};

/// Key type 13.
struct ShareGroupTargetAssignmentMemberKey {
  std::string group;
  std::string member;
  auto operator<=>(const ShareGroupTargetAssignmentMemberKey&) const = default;
};

struct ShareGroupTargetAssignmentMemberValue {
  Assignment partitions;
  auto operator<=>(const ShareGroupTargetAssignmentMemberValue&) const = default;
};

/// Key type 14.
struct ShareGroupCurrentMemberAssignmentKey {
  std::string group;
  std::string member;
  auto operator<=>(const ShareGroupCurrentMemberAssignmentKey&) const = default;
};

struct ShareGroupCurrentMemberAssignmentValue {
  MemberEpoch epoch{0};
  MemberEpoch previous_epoch{0};
  Assignment assigned{};
  auto operator<=>(const ShareGroupCurrentMemberAssignmentValue&) const = default;
};

/// Key type 15.
struct ShareGroupStatePartitionMetadataKey {
  std::string group;
  auto operator<=>(const ShareGroupStatePartitionMetadataKey&) const = default;
};

/// A topic of which a share group has partitions.
struct SharedTopic {
  std::string name;
  std::set<std::int32_t> partitions;
  auto operator<=>(const SharedTopic&) const = default;
};

/// What Kafka was initialising or deleting when it wrote it counts as not initialised.
struct ShareGroupStatePartitionMetadataValue {
  std::map<TopicId, SharedTopic> initialised;
  auto operator<=>(const ShareGroupStatePartitionMetadataValue&) const = default;
};

/// A key and its value; no value is a tombstone.
template <typename Key, typename Value>
struct Entry {
  Key key;
  std::optional<Value> value;
  using ValueType = Value;
  bool operator==(const Entry&) const = default;
};

using OffsetEntry = Entry<OffsetCommitKey, OffsetCommitValue>;
using ClassicGroupEntry = Entry<GroupMetadataKey, GroupMetadataValue>;
using ConsumerGroupEntry = Entry<ConsumerGroupMetadataKey, ConsumerGroupMetadataValue>;
using ConsumerMemberEntry = Entry<ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue>;
using TargetEpochEntry =
    Entry<ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue>;
using TargetMemberEntry =
    Entry<ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue>;
using CurrentMemberEntry =
    Entry<ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue>;
using RegexEntry = Entry<ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue>;

using ShareGroupEntry = Entry<ShareGroupMetadataKey, ShareGroupMetadataValue>;
using ShareMemberEntry = Entry<ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue>;
using ShareTargetEpochEntry =
    Entry<ShareGroupTargetAssignmentMetadataKey, ShareGroupTargetAssignmentMetadataValue>;
using ShareTargetMemberEntry =
    Entry<ShareGroupTargetAssignmentMemberKey, ShareGroupTargetAssignmentMemberValue>;
using ShareCurrentEntry =
    Entry<ShareGroupCurrentMemberAssignmentKey, ShareGroupCurrentMemberAssignmentValue>;
using ShareTopicsEntry =
    Entry<ShareGroupStatePartitionMetadataKey, ShareGroupStatePartitionMetadataValue>;

using StreamsGroupEntry = Entry<StreamsGroupMetadataKey, StreamsGroupMetadataValue>;
using StreamsMemberEntry = Entry<StreamsGroupMemberMetadataKey, StreamsGroupMemberMetadataValue>;
using StreamsTargetEpochEntry =
    Entry<StreamsGroupTargetAssignmentMetadataKey, StreamsGroupTargetAssignmentMetadataValue>;
using StreamsTargetMemberEntry =
    Entry<StreamsGroupTargetAssignmentMemberKey, StreamsGroupTargetAssignmentMemberValue>;
using StreamsCurrentEntry =
    Entry<StreamsGroupCurrentMemberAssignmentKey, StreamsGroupCurrentMemberAssignmentValue>;
using StreamsTopologyEntry = Entry<StreamsGroupTopologyKey, StreamsTopology>;

/// One record of the topic.
using Record = std::variant<OffsetEntry, ClassicGroupEntry, ConsumerGroupEntry, ConsumerMemberEntry,
                            TargetEpochEntry, TargetMemberEntry, CurrentMemberEntry, RegexEntry,
                            ShareGroupEntry, ShareMemberEntry, ShareTargetEpochEntry,
                            ShareTargetMemberEntry, ShareCurrentEntry, ShareTopicsEntry,
                            StreamsGroupEntry, StreamsMemberEntry, StreamsTargetEpochEntry,
                            StreamsTargetMemberEntry, StreamsCurrentEntry, StreamsTopologyEntry>;

/// The group a record belongs to: it decides the partition of the topic.
const std::string& group_of(const Record& record);

}  // namespace tailrace::groups
