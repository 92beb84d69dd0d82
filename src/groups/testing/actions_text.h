// Records and answers as one line of text each, for conversations.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "base/bytes.h"
#include "groups/actions.h"
#include "groups/consumer_protocol.h"

namespace tailrace::groups::testing {

inline std::string text_of(ErrorCode error) {
  return std::string(error_name(error));
}

inline std::string text_of(const TopicId& id) {
  return fmt::format("#{}", load_be<std::int64_t>(id.bytes.data() + 8));
}

inline std::string text_of(const Assignment& assignment) {
  std::string out;
  for (const auto& [topic, partitions] : assignment)
    out +=
        fmt::format("{}{}:{}", out.empty() ? "" : ",", text_of(topic), fmt::join(partitions, "+"));
  return out.empty() ? "nothing" : out;
}

inline std::string text_of(const EpochAssignment& assignment) {
  std::string out;
  for (const auto& [topic, partitions] : assignment) {
    out += fmt::format("{}{}:", out.empty() ? "" : ",", text_of(topic));
    std::string some;
    for (const auto& [partition, epoch] : partitions)
      some += fmt::format("{}{}@{}", some.empty() ? "" : "+", partition, epoch.value);
    out += some;
  }
  return out.empty() ? "nothing" : out;
}

/// What a member is to do: as in a conversation's `assign=`, where it is a consumer's.
inline std::string bytes_text(const std::string& assignment) {
  const auto read = read_assignment(assignment);
  if (!read) return assignment;
  std::string out;
  for (const auto& [topic, partitions] : read->partitions)
    out += fmt::format("{}{}:{}", out.empty() ? "@" : "/", topic, fmt::join(partitions, "+"));
  return out.empty() ? "@nothing" : out;
}

// Records: the kind, the key, and the value or "gone".

inline std::string value_text(const OffsetCommitValue& value) {
  return fmt::format("{}{}{}", value.offset, value.metadata.empty() ? "" : ":" + value.metadata,
                     value.topic_id.is_none() ? "" : " id=" + text_of(value.topic_id));
}
inline std::string value_text(const GroupMetadataValue& value) {
  std::string members;
  for (const auto& member : value.members)
    members +=
        fmt::format("{}{}{}={}", members.empty() ? "" : ",", member.id,
                    member.instance ? "/" + *member.instance : "", bytes_text(member.assignment));
  return fmt::format("type={} generation={} protocol={} leader={} members=[{}]",
                     value.protocol_type, value.generation.value, value.protocol.value_or("-"),
                     value.leader.value_or("-"), members);
}
inline std::string value_text(const ConsumerGroupMetadataValue& value) {
  return fmt::format("epoch={}", value.epoch.value);
}
inline std::string classic_text(const ClassicMember& classic) {
  std::vector<std::string> names;
  for (const auto& protocol : classic.protocols) names.push_back(protocol.name);
  return fmt::format(" classic={}/{}", fmt::join(names, "+"), classic.session_timeout_ms);
}
inline std::string value_text(const ConsumerGroupMemberMetadataValue& value) {
  return fmt::format(
      "topics={}{}{}{}{}", fmt::join(value.subscribed_topics, ","),
      value.subscribed_regex.value_or("").empty() ? "" : " regex=" + *value.subscribed_regex,
      value.instance ? " instance=" + *value.instance : "",
      value.server_assignor ? " assignor=" + *value.server_assignor : "",
      value.classic ? classic_text(*value.classic) : "");
}
inline std::string value_text(const ConsumerGroupTargetAssignmentMetadataValue& value) {
  return fmt::format("epoch={}", value.assignment_epoch.value);
}
inline std::string value_text(const ConsumerGroupTargetAssignmentMemberValue& value) {
  return text_of(value.partitions);
}
inline std::string value_text(const ConsumerGroupCurrentMemberAssignmentValue& value) {
  static constexpr const char* kStates[] = {"stable", "unrevoked", "unreleased"};
  return fmt::format("epoch={} from={} {} assigned={} revoking={}", value.epoch.value,
                     value.previous_epoch.value, kStates[static_cast<int>(value.state)],
                     text_of(value.assigned), text_of(value.pending_revocation));
}
inline std::string value_text(const ConsumerGroupRegularExpressionValue& value) {
  return fmt::format("{}", fmt::join(value.topics, ","));
}

inline std::string value_text(const ShareGroupMetadataValue& value) {
  return fmt::format("epoch={}", value.epoch.value);
}
inline std::string value_text(const ShareGroupMemberMetadataValue& value) {
  return fmt::format("topics={}", fmt::join(value.subscribed_topics, ","));
}
inline std::string value_text(const ShareGroupTargetAssignmentMetadataValue& value) {
  return fmt::format("epoch={}", value.assignment_epoch.value);
}
inline std::string value_text(const ShareGroupTargetAssignmentMemberValue& value) {
  return text_of(value.partitions);
}
inline std::string value_text(const ShareGroupCurrentMemberAssignmentValue& value) {
  return fmt::format("epoch={} from={} assigned={}", value.epoch.value, value.previous_epoch.value,
                     text_of(value.assigned));
}
inline std::string text_of(const std::map<TopicId, SharedTopic>& topics) {
  Assignment out;
  for (const auto& [id, topic] : topics) out[id] = topic.partitions;
  return text_of(out);
}
inline std::string value_text(const ShareGroupStatePartitionMetadataValue& value) {
  return text_of(value.initialised);
}

inline std::string text_of(const Tasks& tasks) {
  std::string out;
  for (const auto& [id, partitions] : tasks)
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", id, fmt::join(partitions, "+"));
  return out;
}
inline std::string idle_text(const Tasks& standby, const Tasks& warmup) {
  return (standby.empty() ? "" : " standby=" + text_of(standby)) +
         (warmup.empty() ? "" : " warmup=" + text_of(warmup));
}
inline std::string text_of(const TaskSet& tasks) {
  return (tasks.active.empty() ? "nothing" : text_of(tasks.active)) +
         idle_text(tasks.standby, tasks.warmup);
}
inline std::string text_of(const OwnedTasks& tasks) {
  std::string out;
  for (const auto& [id, partitions] : tasks.active) {
    std::string some;
    for (const auto& [partition, since] : partitions)
      some += fmt::format("{}{}@{}", some.empty() ? "" : "+", partition, since.value);
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", id, some);
  }
  return (out.empty() ? "nothing" : out) + idle_text(tasks.standby, tasks.warmup);
}
inline std::string value_text(const StreamsGroupMetadataValue& value) {
  std::string configs;
  for (const auto& [name, text] : value.assignment_configs)
    configs += fmt::format(" {}={}", name, text);
  return fmt::format("epoch={} topology={}{}", value.epoch.value, value.validated_topology_epoch,
                     configs);
}
inline std::string value_text(const StreamsGroupMemberMetadataValue& value) {
  return fmt::format(
      "process={} topology={}{}", value.process, value.topology_epoch,
      value.endpoint ? fmt::format(" at={}:{}", value.endpoint->host, value.endpoint->port) : "");
}
inline std::string value_text(const StreamsGroupTargetAssignmentMetadataValue& value) {
  return fmt::format("epoch={}", value.assignment_epoch.value);
}
inline std::string value_text(const StreamsGroupTargetAssignmentMemberValue& value) {
  return text_of(value.tasks);
}
inline std::string value_text(const StreamsGroupCurrentMemberAssignmentValue& value) {
  static constexpr const char* kStates[] = {"", "stable", "unrevoked", "unreleased"};
  return fmt::format("epoch={} from={} {} assigned={} revoking={}", value.epoch.value,
                     value.previous_epoch.value, kStates[static_cast<int>(value.state)],
                     text_of(value.assigned), text_of(value.pending_revocation));
}
inline std::string value_text(const StreamsTopology& value) {
  std::vector<std::string> ids;
  for (const auto& part : value.subtopologies) ids.push_back(part.id);
  return fmt::format("epoch={} parts={}", value.epoch, fmt::join(ids, ","));
}

inline std::string key_text(const OffsetCommitKey& key) {
  return fmt::format("offset {} {}:{}", key.group, key.topic, key.partition);
}
inline std::string key_text(const GroupMetadataKey& key) {
  return "group " + key.group;
}
inline std::string key_text(const ConsumerGroupMetadataKey& key) {
  return "epoch " + key.group;
}
inline std::string key_text(const ConsumerGroupMemberMetadataKey& key) {
  return fmt::format("member {} {}", key.group, key.member);
}
inline std::string key_text(const ConsumerGroupTargetAssignmentMetadataKey& key) {
  return "target-epoch " + key.group;
}
inline std::string key_text(const ConsumerGroupTargetAssignmentMemberKey& key) {
  return fmt::format("target {} {}", key.group, key.member);
}
inline std::string key_text(const ConsumerGroupCurrentMemberAssignmentKey& key) {
  return fmt::format("current {} {}", key.group, key.member);
}
inline std::string key_text(const ConsumerGroupRegularExpressionKey& key) {
  return fmt::format("regex {} {}", key.group, key.regex);
}

inline std::string key_text(const ShareGroupMetadataKey& key) {
  return "share-epoch " + key.group;
}
inline std::string key_text(const ShareGroupMemberMetadataKey& key) {
  return fmt::format("sharer {} {}", key.group, key.member);
}
inline std::string key_text(const ShareGroupTargetAssignmentMetadataKey& key) {
  return "share-target-epoch " + key.group;
}
inline std::string key_text(const ShareGroupTargetAssignmentMemberKey& key) {
  return fmt::format("share-target {} {}", key.group, key.member);
}
inline std::string key_text(const ShareGroupCurrentMemberAssignmentKey& key) {
  return fmt::format("share-current {} {}", key.group, key.member);
}
inline std::string key_text(const ShareGroupStatePartitionMetadataKey& key) {
  return "shared " + key.group;
}

inline std::string key_text(const StreamsGroupMetadataKey& key) {
  return "streams-epoch " + key.group;
}
inline std::string key_text(const StreamsGroupMemberMetadataKey& key) {
  return fmt::format("streams-member {} {}", key.group, key.member);
}
inline std::string key_text(const StreamsGroupTargetAssignmentMetadataKey& key) {
  return "streams-target-epoch " + key.group;
}
inline std::string key_text(const StreamsGroupTargetAssignmentMemberKey& key) {
  return fmt::format("streams-target {} {}", key.group, key.member);
}
inline std::string key_text(const StreamsGroupCurrentMemberAssignmentKey& key) {
  return fmt::format("streams-current {} {}", key.group, key.member);
}
inline std::string key_text(const StreamsGroupTopologyKey& key) {
  return "topology " + key.group;
}

inline std::string text_of(const Record& record) {
  return std::visit(
      [](const auto& entry) {
        return key_text(entry.key) + " " + (entry.value ? value_text(*entry.value) : "gone");
      },
      record);
}

// Answers: an error alone, or what was granted.

inline std::string answer_text(const JoinAnswer& answer) {
  if (answer.error != ErrorCode::kNone)
    return text_of(answer.error) + (answer.member.empty() ? "" : " member=" + answer.member);
  std::vector<std::string> members;
  for (const auto& member : answer.members)
    members.push_back(member.id + (member.instance ? "/" + *member.instance : ""));
  return fmt::format("joined member={} generation={} protocol={} leader={}{}{}", answer.member,
                     answer.generation.value, answer.protocol.value_or("-"), answer.leader,
                     members.empty() ? "" : fmt::format(" members={}", fmt::join(members, ",")),
                     answer.skip_assignment ? " skip" : "");
}
inline std::string answer_text(const SyncAnswer& answer) {
  if (answer.error != ErrorCode::kNone) return text_of(answer.error);
  return fmt::format("synced {} {} '{}'", answer.protocol_type.value_or("-"),
                     answer.protocol.value_or("-"), bytes_text(answer.assignment));
}
inline std::string answer_text(const HeartbeatAnswer& answer) {
  return text_of(answer.error);
}
inline std::string answer_text(const LeaveAnswer& answer) {
  std::string out = text_of(answer.error);
  for (const auto& member : answer.members)
    out += fmt::format(" {}{}:{}", member.id, member.instance ? "/" + *member.instance : "",
                       text_of(member.error));
  return out;
}
inline std::string answer_text(const DescribeAnswer& answer) {
  std::string out;
  for (const auto& group : answer.groups) {
    out += fmt::format("{}{} {}", out.empty() ? "" : "; ", group.group, group.state);
    if (group.error != ErrorCode::kNone) out += " " + text_of(group.error);
    if (!group.protocol_type.empty()) out += " type=" + group.protocol_type;
    if (!group.protocol.empty()) out += " protocol=" + group.protocol;
    for (const auto& member : group.members)
      out += fmt::format(" {}{}='{}'", member.id, member.instance ? "/" + *member.instance : "",
                         bytes_text(member.assignment));
  }
  return out;
}
inline std::string answer_text(const ListAnswer& answer) {
  std::string out;
  for (const auto& group : answer.groups)
    out += fmt::format("{}{} {} {}{}", out.empty() ? "" : "; ", group.group, group.type,
                       group.state, group.protocol_type.empty() ? "" : " " + group.protocol_type);
  return out.empty() ? "none" : out;
}
inline std::string answer_text(const DeleteAnswer& answer) {
  std::string out;
  for (const auto& group : answer.groups)
    out += fmt::format("{}{}:{}", out.empty() ? "" : " ", group.group, text_of(group.error));
  return out;
}
inline std::string text_of(const std::vector<TopicErrors>& topics) {
  std::string out;
  for (const auto& topic : topics)
    for (const auto& partition : topic.partitions)
      out += fmt::format("{}{}:{}:{}", out.empty() ? "" : " ", topic.topic, partition.partition,
                         text_of(partition.error));
  return out;
}
inline std::string answer_text(const CommitAnswer& answer) {
  return text_of(answer.topics);
}
inline std::string answer_text(const FetchAnswer& answer) {
  if (answer.error != ErrorCode::kNone) return text_of(answer.error);
  std::string out;
  for (const auto& topic : answer.topics)
    for (const auto& one : topic.partitions)
      out += fmt::format("{}{}:{}:{}{}{}", out.empty() ? "" : " ", topic.topic, one.partition,
                         one.offset, one.metadata.empty() ? "" : ":" + one.metadata,
                         one.error == ErrorCode::kNone ? "" : ":" + text_of(one.error));
  return out.empty() ? "nothing" : out;
}
inline std::string answer_text(const DeleteOffsetsAnswer& answer) {
  return answer.error == ErrorCode::kNone ? text_of(answer.topics) : text_of(answer.error);
}
inline std::string answer_text(const ConsumerHeartbeatAnswer& answer) {
  if (answer.error != ErrorCode::kNone) return text_of(answer.error);
  return fmt::format("member={} epoch={}{}", answer.member, answer.epoch.value,
                     answer.assignment ? " assignment=" + text_of(*answer.assignment) : "");
}
inline std::string answer_text(const DescribeConsumersAnswer& answer) {
  std::string out;
  for (const auto& group : answer.groups) {
    out += fmt::format("{}{} {} ", out.empty() ? "" : "; ", group.group, group.state);
    if (group.error != ErrorCode::kNone) {
      out += text_of(group.error);
      continue;
    }
    out += fmt::format("epoch={} assignment-epoch={} assignor={}", group.epoch.value,
                       group.assignment_epoch.value, group.assignor);
    for (const auto& member : group.members)
      out += fmt::format(" {}@{}={}>{}", member.id, member.epoch.value, text_of(member.assignment),
                         text_of(member.target)) +
             (member.is_classic ? "/classic" : "");
  }
  return out;
}
inline std::string answer_text(const ShareHeartbeatAnswer& answer) {
  if (answer.error != ErrorCode::kNone)
    return text_of(answer.error) + (answer.message.empty() ? "" : " " + answer.message);
  return fmt::format("member={} epoch={}{}", answer.member, answer.epoch.value,
                     answer.assignment ? " assignment=" + text_of(*answer.assignment) : "");
}
inline std::string answer_text(const DescribeSharersAnswer& answer) {
  std::string out;
  for (const auto& group : answer.groups) {
    out += fmt::format("{}{} {} ", out.empty() ? "" : "; ", group.group, group.state);
    if (group.error != ErrorCode::kNone) {
      out += text_of(group.error) + " " + group.message;
      continue;
    }
    out += fmt::format("epoch={} assignment-epoch={} assignor={}", group.epoch.value,
                       group.assignment_epoch.value, group.assignor);
    for (const auto& member : group.members)
      out += fmt::format(" {}@{}={}", member.id, member.epoch.value, text_of(member.assignment));
  }
  return out;
}
inline std::string answer_text(const ShareTopicsAnswer& answer) {
  std::string out;
  for (const auto& group : answer.groups)
    out +=
        fmt::format("{}{} {}", out.empty() ? "" : "; ", group.group,
                    group.error == ErrorCode::kNone ? text_of(group.topics) : text_of(group.error));
  return out;
}
inline std::string answer_text(const ShareOffsetsAnswer& answer) {
  if (answer.error != ErrorCode::kNone) return text_of(answer.error) + " " + answer.message;
  std::string out;
  for (const auto& topic : answer.topics) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : " ", topic.topic, text_of(topic.error));
    for (const auto& one : topic.partitions)
      out += fmt::format(":{}:{}", one.partition, text_of(one.error));
  }
  return out;
}
inline std::string answer_text(const StreamsHeartbeatAnswer& answer) {
  if (answer.error != ErrorCode::kNone)
    return text_of(answer.error) + (answer.message.empty() ? "" : " " + answer.message);
  std::string out = fmt::format("member={} epoch={}{}", answer.member, answer.epoch.value,
                                answer.tasks ? " tasks=" + text_of(*answer.tasks) : "");
  if (answer.endpoints) {
    out += fmt::format(" endpoints@{}", answer.endpoint_epoch);
    for (const auto& one : *answer.endpoints)
      out += fmt::format(" {}:{}={}{}", one.endpoint.host, one.endpoint.port, text_of(one.active),
                         idle_text(one.standby, {}));
  }
  for (const auto& topic : answer.missing)
    out += fmt::format(" make={}:{}", topic.name, topic.partitions);
  for (const auto& status : answer.statuses)
    out += fmt::format(" | {} {}", static_cast<int>(status.code), status.detail);
  return out;
}
inline std::string answer_text(const DescribeStreamsAnswer& answer) {
  std::string out;
  for (const auto& group : answer.groups) {
    out += fmt::format("{}{} {} ", out.empty() ? "" : "; ", group.group, group.state);
    if (group.error != ErrorCode::kNone) {
      out += text_of(group.error) + " " + group.message;
      continue;
    }
    out += fmt::format("epoch={} assignment-epoch={}", group.epoch.value,
                       group.assignment_epoch.value);
    for (const auto& member : group.members)
      out += fmt::format(" {}@{}={}>{}", member.id, member.epoch.value, text_of(member.tasks),
                         text_of(member.target));
  }
  return out;
}
inline std::string answer_text(const EndAnswer&) {
  return "ended";
}

inline std::string text_of(const ShareInitialise& one) {
  return fmt::format("initialise {} {}:{} epoch={} start={}", one.group, text_of(one.topic),
                     one.partition, one.epoch.value, one.start);
}
inline std::string text_of(const ShareForget& one) {
  return fmt::format("forget {} {}:{}", one.group, text_of(one.topic), one.partition);
}

inline std::string text_of(const Answer& answer) {
  return std::visit([](const auto& one) { return answer_text(one); }, answer);
}

}  // namespace tailrace::groups::testing
