#include "kafka/group_records.h"

#include "kafka/coordinator_record.h"
#include "kafka/messages/consumer_group_current_member_assignment_key.h"
#include "kafka/messages/consumer_group_current_member_assignment_value.h"
#include "kafka/messages/consumer_group_member_metadata_key.h"
#include "kafka/messages/consumer_group_member_metadata_value.h"
#include "kafka/messages/consumer_group_metadata_key.h"
#include "kafka/messages/consumer_group_metadata_value.h"
#include "kafka/messages/consumer_group_regular_expression_key.h"
#include "kafka/messages/consumer_group_regular_expression_value.h"
#include "kafka/messages/consumer_group_target_assignment_member_key.h"
#include "kafka/messages/consumer_group_target_assignment_member_value.h"
#include "kafka/messages/consumer_group_target_assignment_metadata_key.h"
#include "kafka/messages/consumer_group_target_assignment_metadata_value.h"
#include "kafka/messages/group_metadata_key.h"
#include "kafka/messages/group_metadata_value.h"
#include "kafka/messages/offset_commit_key.h"
#include "kafka/messages/offset_commit_value.h"
#include "kafka/messages/share_group_current_member_assignment_key.h"
#include "kafka/messages/share_group_current_member_assignment_value.h"
#include "kafka/messages/share_group_member_metadata_key.h"
#include "kafka/messages/share_group_member_metadata_value.h"
#include "kafka/messages/share_group_metadata_key.h"
#include "kafka/messages/share_group_metadata_value.h"
#include "kafka/messages/share_group_state_partition_metadata_key.h"
#include "kafka/messages/share_group_state_partition_metadata_value.h"
#include "kafka/messages/share_group_target_assignment_member_key.h"
#include "kafka/messages/share_group_target_assignment_member_value.h"
#include "kafka/messages/share_group_target_assignment_metadata_key.h"
#include "kafka/messages/share_group_target_assignment_metadata_value.h"
#include "kafka/streams_group_messages.h"

namespace tailrace::kafka {
namespace {

groups::LeaderEpoch epoch(std::int32_t value) {
  return groups::LeaderEpoch(value);
}

// Each pair below turns a key or value of the groups room into the message, and back.

OffsetCommitKey message(const groups::OffsetCommitKey& key) {
  return {key.group, key.topic, key.partition};
}

groups::OffsetCommitKey plain(const OffsetCommitKey& key) {
  return {key.group, key.topic, key.partition};
}

OffsetCommitValue message(const groups::OffsetCommitValue& value) {
  OffsetCommitValue out;
  out.offset = value.offset;
  out.leader_epoch = value.leader_epoch.value;
  out.metadata = value.metadata;
  out.commit_timestamp = value.commit_timestamp.value;
  out.expire_timestamp = value.expire_timestamp.value;
  out.topic_id = value.topic_id.bytes;
  return out;
}

groups::OffsetCommitValue plain(const OffsetCommitValue& value) {
  return {.offset = value.offset,
          .leader_epoch = epoch(value.leader_epoch),
          .metadata = value.metadata,
          .commit_timestamp = TimestampMs(value.commit_timestamp),
          .expire_timestamp = TimestampMs(value.expire_timestamp),
          .topic_id = {value.topic_id}};
}

/// Kafka writes the newest version, unless the offset's end is told: only version 1 can say it.
Version version_of(const OffsetCommitValue& value) {
  return Version(value.expire_timestamp != -1 ? 1 : 4);
}

GroupMetadataKey message(const groups::GroupMetadataKey& key) {
  return {key.group};
}

groups::GroupMetadataKey plain(const GroupMetadataKey& key) {
  return {key.group};
}

GroupMetadataValue message(const groups::GroupMetadataValue& value) {
  GroupMetadataValue out;
  out.protocol_type = value.protocol_type;
  out.generation = value.generation.value;
  out.protocol = value.protocol;
  out.leader = value.leader;
  out.current_state_timestamp = value.state_timestamp.value;
  for (const auto& member : value.members) {
    out.members.push_back({member.id, member.instance, member.client.id, member.client.host,
                           member.rebalance_timeout_ms, member.session_timeout_ms,
                           member.subscription, member.assignment});
  }
  return out;
}

groups::GroupMetadataValue plain(const GroupMetadataValue& value) {
  groups::GroupMetadataValue out;
  out.protocol_type = value.protocol_type;
  out.generation = groups::Generation(value.generation);
  out.protocol = value.protocol;
  out.leader = value.leader;
  out.state_timestamp = TimestampMs(value.current_state_timestamp);
  for (const auto& member : value.members) {
    out.members.push_back({member.member_id,
                           member.group_instance_id,
                           {member.client_id, member.client_host},
                           member.rebalance_timeout,
                           member.session_timeout,
                           std::string(member.subscription),
                           std::string(member.assignment)});
  }
  return out;
}

Version version_of(const GroupMetadataValue&) {
  return Version(3);
}

ConsumerGroupMetadataKey message(const groups::ConsumerGroupMetadataKey& key) {
  return {key.group};
}

groups::ConsumerGroupMetadataKey plain(const ConsumerGroupMetadataKey& key) {
  return {key.group_id};
}

ConsumerGroupMetadataValue message(const groups::ConsumerGroupMetadataValue& value) {
  return {value.epoch.value, value.metadata_hash};
}

groups::ConsumerGroupMetadataValue plain(const ConsumerGroupMetadataValue& value) {
  return {groups::MemberEpoch(value.epoch), value.metadata_hash};
}

ConsumerGroupMemberMetadataKey message(const groups::ConsumerGroupMemberMetadataKey& key) {
  return {key.group, key.member};
}

groups::ConsumerGroupMemberMetadataKey plain(const ConsumerGroupMemberMetadataKey& key) {
  return {key.group_id, key.member_id};
}

ConsumerGroupMemberMetadataValue::ClassicMemberMetadata message(
    const groups::ClassicMember& value) {
  ConsumerGroupMemberMetadataValue::ClassicMemberMetadata out;
  out.session_timeout_ms = value.session_timeout_ms;
  for (const auto& protocol : value.protocols) {
    out.supported_protocols.push_back({protocol.name, protocol.metadata});
  }
  return out;
}

groups::ClassicMember plain(const ConsumerGroupMemberMetadataValue::ClassicMemberMetadata& value) {
  groups::ClassicMember out{.session_timeout_ms = value.session_timeout_ms};
  for (const auto& protocol : value.supported_protocols) {
    out.protocols.push_back({protocol.name, std::string(protocol.metadata)});
  }
  return out;
}

ConsumerGroupMemberMetadataValue message(const groups::ConsumerGroupMemberMetadataValue& value) {
  return {.instance_id = value.instance,
          .rack_id = value.rack,
          .client_id = value.client.id,
          .client_host = value.client.host,
          .subscribed_topic_names = value.subscribed_topics,
          .subscribed_topic_regex = value.subscribed_regex,
          .rebalance_timeout_ms = value.rebalance_timeout_ms,
          .server_assignor = value.server_assignor,
          .classic_member_metadata = value.classic.transform(
              [](const groups::ClassicMember& classic) { return message(classic); })};
}

groups::ConsumerGroupMemberMetadataValue plain(const ConsumerGroupMemberMetadataValue& value) {
  return {.instance = value.instance_id,
          .rack = value.rack_id,
          .client = {value.client_id, value.client_host},
          .subscribed_topics = value.subscribed_topic_names,
          .subscribed_regex = value.subscribed_topic_regex,
          .rebalance_timeout_ms = value.rebalance_timeout_ms,
          .server_assignor = value.server_assignor,
          .classic = value.classic_member_metadata.transform(
              [](const auto& classic) { return plain(classic); })};
}

ConsumerGroupTargetAssignmentMetadataKey message(
    const groups::ConsumerGroupTargetAssignmentMetadataKey& key) {
  return {key.group};
}

groups::ConsumerGroupTargetAssignmentMetadataKey plain(
    const ConsumerGroupTargetAssignmentMetadataKey& key) {
  return {key.group_id};
}

ConsumerGroupTargetAssignmentMetadataValue message(
    const groups::ConsumerGroupTargetAssignmentMetadataValue& value) {
  return {value.assignment_epoch.value, value.assignment_timestamp.value};
}

groups::ConsumerGroupTargetAssignmentMetadataValue plain(
    const ConsumerGroupTargetAssignmentMetadataValue& value) {
  return {groups::MemberEpoch(value.assignment_epoch), TimestampMs(value.assignment_timestamp)};
}

ConsumerGroupTargetAssignmentMemberKey message(
    const groups::ConsumerGroupTargetAssignmentMemberKey& key) {
  return {key.group, key.member};
}

groups::ConsumerGroupTargetAssignmentMemberKey plain(
    const ConsumerGroupTargetAssignmentMemberKey& key) {
  return {key.group_id, key.member_id};
}

ConsumerGroupTargetAssignmentMemberValue message(
    const groups::ConsumerGroupTargetAssignmentMemberValue& value) {
  ConsumerGroupTargetAssignmentMemberValue out;
  for (const auto& [topic, partitions] : value.partitions) {
    out.topic_partitions.push_back({topic.bytes, {partitions.begin(), partitions.end()}});
  }
  return out;
}

groups::ConsumerGroupTargetAssignmentMemberValue plain(
    const ConsumerGroupTargetAssignmentMemberValue& value) {
  groups::ConsumerGroupTargetAssignmentMemberValue out;
  for (const auto& topic : value.topic_partitions) {
    out.partitions[{topic.topic_id}].insert(topic.partitions.begin(), topic.partitions.end());
  }
  return out;
}

ConsumerGroupCurrentMemberAssignmentKey message(
    const groups::ConsumerGroupCurrentMemberAssignmentKey& key) {
  return {key.group, key.member};
}

groups::ConsumerGroupCurrentMemberAssignmentKey plain(
    const ConsumerGroupCurrentMemberAssignmentKey& key) {
  return {key.group_id, key.member_id};
}

using EpochedPartitions = ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions;

std::vector<EpochedPartitions> message(const groups::EpochAssignment& assignment) {
  std::vector<EpochedPartitions> out;
  for (const auto& [topic, partitions] : assignment) {
    auto& one = out.emplace_back();
    one.topic_id = topic.bytes;
    one.assignment_epochs.emplace();
    for (const auto& [partition, member_epoch] : partitions) {
      one.partitions.push_back(partition);
      one.assignment_epochs->push_back(member_epoch.value);
    }
  }
  return out;
}

/// Kafka before KIP-1251 wrote no epochs: the member's own stands for them.
groups::EpochAssignment plain(const std::vector<EpochedPartitions>& assignment,
                              std::int32_t member_epoch) {
  groups::EpochAssignment out;
  for (const auto& topic : assignment) {
    auto& partitions = out[{topic.topic_id}];
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const bool told = topic.assignment_epochs && i < topic.assignment_epochs->size();
      partitions[topic.partitions[i]] =
          groups::MemberEpoch(told ? (*topic.assignment_epochs)[i] : member_epoch);
    }
  }
  return out;
}

ConsumerGroupCurrentMemberAssignmentValue message(
    const groups::ConsumerGroupCurrentMemberAssignmentValue& value) {
  ConsumerGroupCurrentMemberAssignmentValue out;
  out.member_epoch = value.epoch.value;
  out.previous_member_epoch = value.previous_epoch.value;
  out.state = static_cast<std::int8_t>(value.state);
  out.assigned_partitions = message(value.assigned);
  out.partitions_pending_revocation = message(value.pending_revocation);
  return out;
}

groups::ConsumerGroupCurrentMemberAssignmentValue plain(
    const ConsumerGroupCurrentMemberAssignmentValue& value) {
  return {.epoch = groups::MemberEpoch(value.member_epoch),
          .previous_epoch = groups::MemberEpoch(value.previous_member_epoch),
          .state = static_cast<groups::MemberState>(value.state),
          .assigned = plain(value.assigned_partitions, value.member_epoch),
          .pending_revocation = plain(value.partitions_pending_revocation, value.member_epoch)};
}

ConsumerGroupRegularExpressionKey message(const groups::ConsumerGroupRegularExpressionKey& key) {
  return {key.group, key.regex};
}

groups::ConsumerGroupRegularExpressionKey plain(const ConsumerGroupRegularExpressionKey& key) {
  return {key.group_id, key.regular_expression};
}

ConsumerGroupRegularExpressionValue message(
    const groups::ConsumerGroupRegularExpressionValue& value) {
  return {value.topics, value.version, value.timestamp.value};
}

groups::ConsumerGroupRegularExpressionValue plain(
    const ConsumerGroupRegularExpressionValue& value) {
  return {value.topics, value.version, TimestampMs(value.timestamp)};
}

ShareGroupMetadataKey message(const groups::ShareGroupMetadataKey& key) {
  return {key.group};
}

groups::ShareGroupMetadataKey plain(const ShareGroupMetadataKey& key) {
  return {key.group_id};
}

ShareGroupMetadataValue message(const groups::ShareGroupMetadataValue& value) {
  return {value.epoch.value, value.metadata_hash};
}

groups::ShareGroupMetadataValue plain(const ShareGroupMetadataValue& value) {
  return {groups::MemberEpoch(value.epoch), value.metadata_hash};
}

ShareGroupMemberMetadataKey message(const groups::ShareGroupMemberMetadataKey& key) {
  return {key.group, key.member};
}

groups::ShareGroupMemberMetadataKey plain(const ShareGroupMemberMetadataKey& key) {
  return {key.group_id, key.member_id};
}

ShareGroupMemberMetadataValue message(const groups::ShareGroupMemberMetadataValue& value) {
  return {value.rack, value.client.id, value.client.host, value.subscribed_topics};
}

groups::ShareGroupMemberMetadataValue plain(const ShareGroupMemberMetadataValue& value) {
  return {value.rack_id, {value.client_id, value.client_host}, value.subscribed_topic_names};
}

ShareGroupTargetAssignmentMetadataKey message(
    const groups::ShareGroupTargetAssignmentMetadataKey& key) {
  return {key.group};
}

groups::ShareGroupTargetAssignmentMetadataKey plain(
    const ShareGroupTargetAssignmentMetadataKey& key) {
  return {key.group_id};
}

ShareGroupTargetAssignmentMetadataValue message(
    const groups::ShareGroupTargetAssignmentMetadataValue& value) {
  return {value.assignment_epoch.value, value.assignment_timestamp.value};
}

groups::ShareGroupTargetAssignmentMetadataValue plain(
    const ShareGroupTargetAssignmentMetadataValue& value) {
  return {groups::MemberEpoch(value.assignment_epoch), TimestampMs(value.assignment_timestamp)};
}

ShareGroupTargetAssignmentMemberKey message(
    const groups::ShareGroupTargetAssignmentMemberKey& key) {
  return {key.group, key.member};
}

groups::ShareGroupTargetAssignmentMemberKey plain(const ShareGroupTargetAssignmentMemberKey& key) {
  return {key.group_id, key.member_id};
}

template <typename TopicPartitions>
std::vector<TopicPartitions> message_of(const groups::Assignment& assignment) {
  std::vector<TopicPartitions> out;
  for (const auto& [topic, partitions] : assignment) {
    out.push_back({topic.bytes, {partitions.begin(), partitions.end()}});
  }
  return out;
}

template <typename TopicPartitions>
groups::Assignment plain_of(const std::vector<TopicPartitions>& topics) {
  groups::Assignment out;
  for (const auto& topic : topics) {
    out[{topic.topic_id}].insert(topic.partitions.begin(), topic.partitions.end());
  }
  return out;
}

ShareGroupTargetAssignmentMemberValue message(
    const groups::ShareGroupTargetAssignmentMemberValue& value) {
  using One = ShareGroupTargetAssignmentMemberValue::TopicPartition;
  return {message_of<One>(value.partitions)};
}

groups::ShareGroupTargetAssignmentMemberValue plain(
    const ShareGroupTargetAssignmentMemberValue& value) {
  return {plain_of(value.topic_partitions)};
}

ShareGroupCurrentMemberAssignmentKey message(
    const groups::ShareGroupCurrentMemberAssignmentKey& key) {
  return {key.group, key.member};
}

groups::ShareGroupCurrentMemberAssignmentKey plain(
    const ShareGroupCurrentMemberAssignmentKey& key) {
  return {key.group_id, key.member_id};
}

ShareGroupCurrentMemberAssignmentValue message(
    const groups::ShareGroupCurrentMemberAssignmentValue& value) {
  using One = ShareGroupCurrentMemberAssignmentValue::TopicPartitions;
  return {value.epoch.value, value.previous_epoch.value, 0, message_of<One>(value.assigned)};
}

groups::ShareGroupCurrentMemberAssignmentValue plain(
    const ShareGroupCurrentMemberAssignmentValue& value) {
  return {groups::MemberEpoch(value.member_epoch), groups::MemberEpoch(value.previous_member_epoch),
          plain_of(value.assigned_partitions)};
}

ShareGroupStatePartitionMetadataKey message(
    const groups::ShareGroupStatePartitionMetadataKey& key) {
  return {key.group};
}

groups::ShareGroupStatePartitionMetadataKey plain(const ShareGroupStatePartitionMetadataKey& key) {
  return {key.group_id};
}

ShareGroupStatePartitionMetadataValue message(
    const groups::ShareGroupStatePartitionMetadataValue& value) {
  ShareGroupStatePartitionMetadataValue out;
  for (const auto& [id, topic] : value.initialised) {
    out.initialized_topics.push_back(
        {id.bytes, topic.name, {topic.partitions.begin(), topic.partitions.end()}});
  }
  return out;
}

groups::ShareGroupStatePartitionMetadataValue plain(
    const ShareGroupStatePartitionMetadataValue& value) {
  groups::ShareGroupStatePartitionMetadataValue out;
  for (const auto& topic : value.initialized_topics) {
    out.initialised[{topic.topic_id}] = {topic.topic_name,
                                         {topic.partitions.begin(), topic.partitions.end()}};
  }
  return out;
}

template <typename Value>
Version version_of(const Value&) {
  return Value::kHighest;
}

template <typename Key, typename Value>
Result<std::optional<groups::Record>> decode(std::string_view key,
                                             std::optional<std::string_view> value) {
  ASSIGN(const Key decoded_key, decode_record_key<Key>(key));
  using PlainKey = decltype(plain(std::declval<Key>()));
  using PlainValue = decltype(plain(std::declval<Value>()));
  groups::Entry<PlainKey, PlainValue> entry{plain(decoded_key), std::nullopt};
  if (value) {
    ASSIGN(const Value decoded_value, decode_record_value<Value>(*value));
    entry.value = plain(decoded_value);
  }
  return groups::Record(std::move(entry));
}

}  // namespace

Result<RecordBytes> encode_group_record(const groups::Record& record) {
  return std::visit(
      [](const auto& entry) -> Result<RecordBytes> {
        RecordBytes bytes;
        ASSIGN(bytes.key, encode_record_key(message(entry.key)));
        if (!entry.value) return bytes;
        const auto value = message(*entry.value);
        ASSIGN(bytes.value, encode_record_value(value, version_of(value)));
        return bytes;
      },
      record);
}

Result<std::optional<groups::Record>> decode_group_record(std::string_view key,
                                                          std::optional<std::string_view> value) {
  ASSIGN(const std::int16_t type, record_key_type(key));
  switch (type) {
    case OffsetCommitKey::kRecordKeyType:
      return decode<OffsetCommitKey, OffsetCommitValue>(key, value);
    case GroupMetadataKey::kRecordKeyType:
      return decode<GroupMetadataKey, GroupMetadataValue>(key, value);
    case ConsumerGroupMetadataKey::kRecordKeyType:
      return decode<ConsumerGroupMetadataKey, ConsumerGroupMetadataValue>(key, value);
    case ConsumerGroupMemberMetadataKey::kRecordKeyType:
      return decode<ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue>(key, value);
    case ConsumerGroupTargetAssignmentMetadataKey::kRecordKeyType:
      return decode<ConsumerGroupTargetAssignmentMetadataKey,
                    ConsumerGroupTargetAssignmentMetadataValue>(key, value);
    case ConsumerGroupTargetAssignmentMemberKey::kRecordKeyType:
      return decode<ConsumerGroupTargetAssignmentMemberKey,
                    ConsumerGroupTargetAssignmentMemberValue>(key, value);
    case ConsumerGroupCurrentMemberAssignmentKey::kRecordKeyType:
      return decode<ConsumerGroupCurrentMemberAssignmentKey,
                    ConsumerGroupCurrentMemberAssignmentValue>(key, value);
    case ConsumerGroupRegularExpressionKey::kRecordKeyType:
      return decode<ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue>(key,
                                                                                            value);
    case ShareGroupMetadataKey::kRecordKeyType:
      return decode<ShareGroupMetadataKey, ShareGroupMetadataValue>(key, value);
    case ShareGroupMemberMetadataKey::kRecordKeyType:
      return decode<ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue>(key, value);
    case ShareGroupTargetAssignmentMetadataKey::kRecordKeyType:
      return decode<ShareGroupTargetAssignmentMetadataKey, ShareGroupTargetAssignmentMetadataValue>(
          key, value);
    case ShareGroupTargetAssignmentMemberKey::kRecordKeyType:
      return decode<ShareGroupTargetAssignmentMemberKey, ShareGroupTargetAssignmentMemberValue>(
          key, value);
    case ShareGroupCurrentMemberAssignmentKey::kRecordKeyType:
      return decode<ShareGroupCurrentMemberAssignmentKey, ShareGroupCurrentMemberAssignmentValue>(
          key, value);
    case ShareGroupStatePartitionMetadataKey::kRecordKeyType:
      return decode<ShareGroupStatePartitionMetadataKey, ShareGroupStatePartitionMetadataValue>(
          key, value);
    case StreamsGroupMetadataKey::kRecordKeyType:
      return decode<StreamsGroupMetadataKey, StreamsGroupMetadataValue>(key, value);
    case StreamsGroupMemberMetadataKey::kRecordKeyType:
      return decode<StreamsGroupMemberMetadataKey, StreamsGroupMemberMetadataValue>(key, value);
    case StreamsGroupTargetAssignmentMetadataKey::kRecordKeyType:
      return decode<StreamsGroupTargetAssignmentMetadataKey,
                    StreamsGroupTargetAssignmentMetadataValue>(key, value);
    case StreamsGroupTargetAssignmentMemberKey::kRecordKeyType:
      return decode<StreamsGroupTargetAssignmentMemberKey, StreamsGroupTargetAssignmentMemberValue>(
          key, value);
    case StreamsGroupCurrentMemberAssignmentKey::kRecordKeyType:
      return decode<StreamsGroupCurrentMemberAssignmentKey,
                    StreamsGroupCurrentMemberAssignmentValue>(key, value);
    case StreamsGroupTopologyKey::kRecordKeyType:
      return decode<StreamsGroupTopologyKey, StreamsGroupTopologyValue>(key, value);
    default:
      return std::nullopt;
  }
}

}  // namespace tailrace::kafka
