// What groups want done: records appended, then answers given.
//
// Actions are done in order, over all steps: an answer is sent when every append before it, of this
// or an earlier step, is durable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "groups/records.h"
#include "groups/types.h"

namespace tailrace::groups {

struct JoinAnswer {
  struct Member {
    std::string id;
    std::optional<std::string> instance;
    std::string metadata;
  };
  ErrorCode error = ErrorCode::kNone;
  Generation generation{-1};
  std::optional<std::string> protocol_type{};
  std::optional<std::string> protocol{};
  std::string leader{};
  bool skip_assignment = false;
  std::string member{};
  std::vector<Member> members{};  // for the leader only
};

struct SyncAnswer {
  ErrorCode error = ErrorCode::kNone;
  std::optional<std::string> protocol_type{};
  std::optional<std::string> protocol{};
  std::string assignment{};
};

struct HeartbeatAnswer {
  ErrorCode error = ErrorCode::kNone;
};

struct LeaveAnswer {
  struct Member {
    std::string id;
    std::optional<std::string> instance;
    ErrorCode error = ErrorCode::kNone;
  };
  ErrorCode error = ErrorCode::kNone;
  std::vector<Member> members;
};

struct DescribedMember {
  std::string id;
  std::optional<std::string> instance;
  Client client;
  std::string metadata;  // of stable groups
  std::string assignment;
  auto operator<=>(const DescribedMember&) const = default;
};

struct DescribedGroup {
  ErrorCode error = ErrorCode::kNone;
  std::string message{};
  std::string group{};
  std::string state{};
  std::string protocol_type{};
  std::string protocol{};
  std::vector<DescribedMember> members{};
  auto operator<=>(const DescribedGroup&) const = default;
};

struct DescribeAnswer {
  std::vector<DescribedGroup> groups;
};

struct ListAnswer {
  struct Listed {
    std::string group;
    std::string protocol_type;
    std::string state;
    std::string type;
  };
  std::vector<Listed> groups;
};

struct DeleteAnswer {
  struct Deleted {
    std::string group;
    ErrorCode error = ErrorCode::kNone;
  };
  std::vector<Deleted> groups;
};

struct PartitionError {
  std::int32_t partition = 0;
  ErrorCode error = ErrorCode::kNone;
};

struct TopicErrors {
  std::string topic;
  TopicId id;
  std::vector<PartitionError> partitions;
};

/// An error of the group stands at each partition.
struct CommitAnswer {
  std::vector<TopicErrors> topics;
};

struct FetchedOffset {
  std::int32_t partition = 0;
  std::int64_t offset = -1;
  LeaderEpoch leader_epoch{-1};
  std::string metadata;
  ErrorCode error = ErrorCode::kNone;
};

struct FetchedTopic {
  std::string topic;
  TopicId id;
  std::vector<FetchedOffset> partitions;
};

struct FetchAnswer {
  ErrorCode error = ErrorCode::kNone;
  std::vector<FetchedTopic> topics{};
};

struct DeleteOffsetsAnswer {
  ErrorCode error = ErrorCode::kNone;
  std::vector<TopicErrors> topics;
};

struct ConsumerHeartbeatAnswer {
  ErrorCode error = ErrorCode::kNone;
  std::string message{};
  std::string member{};
  MemberEpoch epoch{0};
  std::int32_t heartbeat_interval_ms = 0;
  std::optional<Assignment> assignment{};  // when it changed or the member asks for all
};

struct DescribedConsumer {
  std::string id;
  std::optional<std::string> instance;
  std::optional<std::string> rack;
  MemberEpoch epoch{0};
  Client client;
  std::vector<std::string> topics;
  std::optional<std::string> regex;
  Assignment assignment;
  Assignment target;
  bool is_classic = false;  // speaks the classic protocol
  auto operator<=>(const DescribedConsumer&) const = default;
};

/// A group whose coordinator assigns.
template <typename Member>
struct DescribedAssignedGroup {
  ErrorCode error = ErrorCode::kNone;
  std::string message{};
  std::string group{};
  std::string state{};
  MemberEpoch epoch{0};
  MemberEpoch assignment_epoch{0};
  std::string assignor{};
  std::vector<Member> members{};
  auto operator<=>(const DescribedAssignedGroup&) const = default;
};

using DescribedConsumerGroup = DescribedAssignedGroup<DescribedConsumer>;

struct DescribeConsumersAnswer {
  std::vector<DescribedConsumerGroup> groups;
};

struct ShareHeartbeatAnswer {
  ErrorCode error = ErrorCode::kNone;
  std::string message{};
  std::string member{};
  MemberEpoch epoch{0};
  std::int32_t heartbeat_interval_ms = 0;
  std::optional<Assignment> assignment{};  // when it changed or the member says its topics
};

struct DescribedSharer {
  std::string id;
  std::optional<std::string> rack;
  MemberEpoch epoch{0};
  Client client;
  std::vector<std::string> topics;
  Assignment assignment;
  auto operator<=>(const DescribedSharer&) const = default;
};

using DescribedShareGroup = DescribedAssignedGroup<DescribedSharer>;

struct DescribeSharersAnswer {
  std::vector<DescribedShareGroup> groups;
};

/// What a member of a streams group is told besides its tasks; the numbers are the protocol's.
enum class StreamsStatusCode : std::int8_t {
  kStaleTopology = 0,
  kMissingSourceTopics = 1,
  kIncorrectlyPartitionedTopics = 2,
  kMissingInternalTopics = 3,
  kShutdownApplication = 4,
  kAssignmentDelayed = 5,
};

struct StreamsStatus {
  StreamsStatusCode code;
  std::string detail;
};

/// Which partitions of topics can be asked for at an endpoint (KIP-67).
struct EndpointPartitions {
  StreamsEndpoint endpoint;
  Tasks active;   // by topic
  Tasks standby;  // by topic
};

struct StreamsHeartbeatAnswer {
  ErrorCode error = ErrorCode::kNone;
  std::string message{};
  std::string member{};
  MemberEpoch epoch{0};
  std::int32_t heartbeat_interval_ms = 0;
  std::vector<StreamsStatus> statuses{};
  std::optional<TaskSet> tasks{};  // when they changed or the member joins
  std::int32_t endpoint_epoch = 0;
  std::optional<std::vector<EndpointPartitions>> endpoints{};  // when the member's are old
  std::vector<InternalTopic> missing{};                        // topics the broker shall make
};

struct DescribedStreamsMember {
  std::string id;
  MemberEpoch epoch{0};
  StreamsGroupMemberMetadataValue about;
  TaskSet tasks;
  TaskSet target;
  auto operator<=>(const DescribedStreamsMember&) const = default;
};

struct DescribedStreamsGroup : DescribedAssignedGroup<DescribedStreamsMember> {
  std::optional<StreamsTopology> topology{};
  auto operator<=>(const DescribedStreamsGroup&) const = default;
};

struct DescribeStreamsAnswer {
  std::vector<DescribedStreamsGroup> groups;
};

struct ShareTopicsAnswer {
  struct Group {
    std::string group;
    ErrorCode error = ErrorCode::kNone;
    std::string message{};
    std::map<TopicId, SharedTopic> topics{};
  };
  std::vector<Group> groups;
};

/// To AlterShareOffsets and DeleteShareOffsets; the latter names no partitions.
struct ShareOffsetsAnswer {
  struct Topic {
    std::string topic;
    TopicId id;
    ErrorCode error = ErrorCode::kNone;
    std::string message{};
    std::vector<PartitionError> partitions{};
  };
  ErrorCode error = ErrorCode::kNone;
  std::string message{};
  std::vector<Topic> topics{};
};

/// To EndTransaction.
struct EndAnswer {};

using Answer =
    std::variant<JoinAnswer, SyncAnswer, HeartbeatAnswer, LeaveAnswer, DescribeAnswer, ListAnswer,
                 DeleteAnswer, CommitAnswer, FetchAnswer, DeleteOffsetsAnswer,
                 ConsumerHeartbeatAnswer, DescribeConsumersAnswer, ShareHeartbeatAnswer,
                 DescribeSharersAnswer, ShareTopicsAnswer, ShareOffsetsAnswer,
                 StreamsHeartbeatAnswer, DescribeStreamsAnswer, EndAnswer>;

/// A record for __consumer_offsets; with a producer, in its transaction. The appends of one step go
/// in one batch, so that a crash keeps all or none.
struct Append {
  Record record;
  std::optional<Producer> producer;
};

/// The control record that ends a producer's transaction.
struct AppendMarker {
  Producer producer;
  bool committed = false;
};

/// A share group has a partition from now on, from `start` on (-1: as its settings say), whatever
/// was kept of it before.
struct ShareInitialise {
  std::string group;
  TopicId topic;
  std::int32_t partition = 0;
  ShareEpoch epoch{0};
  std::int64_t start = -1;
};

/// A share group has a partition no longer: what was kept of it goes.
struct ShareForget {
  std::string group;
  TopicId topic;
  std::int32_t partition = 0;
};

struct Reply {
  RequestId request;
  Answer answer;
};

using Action = std::variant<Append, AppendMarker, ShareInitialise, ShareForget, Reply>;
using Actions = std::vector<Action>;

}  // namespace tailrace::groups
