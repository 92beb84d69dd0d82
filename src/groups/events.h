// What may happen to groups: clients' requests without their versions, topics that come and go,
// transactions that end, and time. Requests have plain fields; what a version of the protocol
// lacks, the door fills as Kafka does (a rebalance timeout of JoinGroup v0 is its session timeout,
// …).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "groups/records.h"
#include "groups/streams_records.h"
#include "groups/types.h"

namespace tailrace::groups {

/// KIP-62, 345, 394, 800. An empty member id asks for one.
struct JoinGroup {
  std::string group;
  std::string member;
  std::optional<std::string> instance;
  std::int32_t session_timeout_ms = 0;
  std::int32_t rebalance_timeout_ms = 0;
  std::string protocol_type;
  std::vector<Protocol> protocols;  // as preferred, best first
  Client client;
  bool takes_member_id = true;        // version 4 and later: MEMBER_ID_REQUIRED is understood
  bool takes_skip_assignment = true;  // version 9 and later
};

struct SyncGroup {
  struct Assigned {
    std::string member;
    std::string assignment;
  };
  std::string group;
  std::string member;
  std::optional<std::string> instance;
  Generation generation{-1};
  // The door refuses version 5 and later without these two: INCONSISTENT_GROUP_PROTOCOL.
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::vector<Assigned> assignments;  // the leader's; empty from others
};

struct Heartbeat {
  std::string group;
  std::string member;
  std::optional<std::string> instance;
  Generation generation{-1};
};

struct LeaveGroup {
  struct Leaving {
    std::string member;  // empty: whoever has the instance id
    std::optional<std::string> instance;
  };
  std::string group;
  std::vector<Leaving> members;
};

struct DescribeGroups {
  std::vector<std::string> groups;
  bool tells_missing = true;  // version 6 and later: GROUP_ID_NOT_FOUND, else a dead group
};

/// Empty filters let all pass; both ignore case.
struct ListGroups {
  std::vector<std::string> states;
  std::vector<std::string> types;
};

struct DeleteGroups {
  std::vector<std::string> groups;
};

struct CommittedOffset {
  std::int32_t partition = 0;
  std::int64_t offset = -1;
  LeaderEpoch leader_epoch{-1};
  std::string metadata;
};

struct TopicOffsets {
  std::string topic;
  TopicId id;
  std::vector<CommittedOffset> partitions;
};

/// OffsetCommit, or TxnOffsetCommit when it has a producer (KIP-98, 447).
struct CommitOffsets {
  std::string group;
  std::string member;
  std::optional<std::string> instance;
  Generation generation{-1};  // or member epoch (KIP-848)
  Millis retention_ms = -1;   // versions 2 to 4; -1: the broker's setting
  std::vector<TopicOffsets> topics;
  std::optional<Producer> producer;
  bool takes_group_errors = true;  // version 9 and later: STALE_MEMBER_EPOCH, GROUP_ID_NOT_FOUND
};

struct TopicPartitions {
  std::string topic;
  TopicId id;
  std::vector<std::int32_t> partitions;
};

/// One group of an OffsetFetch request; no topics: all that have offsets.
struct FetchOffsets {
  std::string group;
  std::optional<std::string> member;
  MemberEpoch member_epoch{-1};
  std::optional<std::vector<TopicPartitions>> topics;
  bool require_stable = false;  // KIP-447
};

struct DeleteOffsets {
  std::string group;
  std::vector<TopicPartitions> topics;
};

/// KIP-848. Fields that have no value did not change since the member's last request. A classic
/// member's JoinGroup to a consumer group is one, too.
struct ConsumerHeartbeat {
  std::string group;
  std::string member;
  MemberEpoch epoch{0};  // 0 joins, -1 leaves, -2 a static member leaves for a while
  std::optional<std::string> instance;
  std::optional<std::string> rack;
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::vector<std::string>> topics;
  std::optional<std::string> regex;
  std::optional<std::string> assignor;
  std::optional<Assignment> owned;
  Client client;
  bool makes_member_id = true;  // version 0: later clients bring one
  std::optional<ClassicMember> classic{};
  bool keeps_targets = false;  // the group is about to become a classic one
  /// Whether who asks may describe a topic: an expression means no other. None: all.
  std::function<bool(const std::string& topic)> may_describe{};
};

struct DescribeConsumerGroups {
  std::vector<std::string> groups;
};

/// KIP-932. No topics: they did not change since the member's last request.
struct ShareHeartbeat {
  std::string group;
  std::string member;
  MemberEpoch epoch{0};  // 0 joins, -1 leaves
  std::optional<std::string> rack;
  std::optional<std::vector<std::string>> topics;
  Client client;
};

struct DescribeShareGroups {
  std::vector<std::string> groups;
};

/// Which partitions share groups have, whether somebody fetches from them or not.
struct ShareTopics {
  std::vector<std::string> groups;
};

/// An empty share group, or one that is new, shall begin elsewhere.
struct AlterShareOffsets {
  struct Partition {
    std::int32_t partition = 0;
    std::int64_t start = -1;
  };
  struct Topic {
    std::string topic;
    std::vector<Partition> partitions;
  };
  std::string group;
  std::vector<Topic> topics;
};

/// An empty share group forgets topics.
struct DeleteShareOffsets {
  std::string group;
  std::vector<std::string> topics;
};

/// KIP-1071. Fields that have no value did not change since the member's last request.
struct StreamsHeartbeat {
  std::string group;
  std::string member;
  MemberEpoch epoch{0};  // 0 joins, -1 leaves
  std::int32_t endpoint_epoch = 0;
  std::optional<std::string> instance;
  std::optional<std::string> rack;
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<StreamsTopology> topology;
  std::optional<Tasks> active;
  std::optional<Tasks> standby;
  std::optional<Tasks> warmup;
  std::optional<std::string> process;
  std::optional<StreamsEndpoint> endpoint;
  std::optional<std::map<std::string, std::string>> tags;
  bool tells_offsets = false;  // of its tasks: no version understands them yet
  bool shutdown = false;       // all members of the group shall stop
  Client client;
};

struct DescribeStreamsGroups {
  std::vector<std::string> groups;
};

/// A producer's transaction ended: its pending offsets become visible or vanish.
struct EndTransaction {
  Producer producer;
  bool committed = false;
};

/// A topic came, grew, or was there when the broker started.
struct TopicChanged {
  std::string name;
  Topic topic;
};

struct TopicDeleted {
  std::string name;
};

/// A group's own settings (kafka-configs, entity type groups); no value: the broker's.
struct GroupSettings {
  std::string group;
  std::optional<std::int32_t> consumer_session_timeout_ms;
  std::optional<std::int32_t> consumer_heartbeat_interval_ms;
  std::optional<Millis> consumer_assignment_interval_ms;
  std::optional<std::int32_t> share_session_timeout_ms{};
  std::optional<std::int32_t> share_heartbeat_interval_ms{};
  std::optional<Millis> share_assignment_interval_ms{};
  std::optional<std::int32_t> streams_session_timeout_ms{};
  std::optional<std::int32_t> streams_heartbeat_interval_ms{};
  std::optional<Millis> streams_assignment_interval_ms{};
  std::optional<std::int32_t> streams_initial_rebalance_delay_ms{};
  std::optional<std::int32_t> streams_num_standby_replicas{};
};

/// A deadline came.
struct Tick {};

using Happening =
    std::variant<JoinGroup, SyncGroup, Heartbeat, LeaveGroup, DescribeGroups, ListGroups,
                 DeleteGroups, CommitOffsets, FetchOffsets, DeleteOffsets, ConsumerHeartbeat,
                 DescribeConsumerGroups, ShareHeartbeat, DescribeShareGroups, ShareTopics,
                 AlterShareOffsets, DeleteShareOffsets, StreamsHeartbeat, DescribeStreamsGroups,
                 EndTransaction, TopicChanged, TopicDeleted, GroupSettings, Tick>;

/// Requests have an id for their answer; topics, settings and ticks are not answered.
struct Event {
  RequestId request;
  Happening what;
};

}  // namespace tailrace::groups
