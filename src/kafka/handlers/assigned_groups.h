// What groups whose broker assigns are answered alike: consumer groups (KIP-848), share groups
// (KIP-932) and streams groups (KIP-1071).
#pragma once

#include <variant>

#include "groups/groups.h"
#include "kafka/broker.h"
#include "kafka/handlers/group_errors.h"

namespace tailrace::kafka {

/// `Answer`: the one of groups::Answer that the result holds.
template <typename Answer, typename Response>
Response heartbeat_response(const Result<groups::Answer>& result) {
  Response response;
  if (!result) {
    response.error_code = kNotKept;
    return response;
  }
  const auto& answer = std::get<Answer>(*result);
  response.error_code = wire(answer.error);
  if (!answer.message.empty()) response.error_message = answer.message;
  if (!answer.member.empty()) response.member_id = answer.member;
  response.member_epoch = answer.epoch.value;
  response.heartbeat_interval_ms = answer.heartbeat_interval_ms;
  if (answer.assignment) {
    auto& told = response.assignment.emplace();
    for (const auto& [topic, partitions] : *answer.assignment) {
      told.topic_partitions.push_back({topic.bytes, {partitions.begin(), partitions.end()}});
    }
  }
  return response;
}

template <typename Told>
Told told_assignment(Broker& broker, const groups::Assignment& assignment) {
  Told out;
  for (const auto& [id, partitions] : assignment) {
    const auto topic = broker.log().topic_name(id.bytes);
    if (!topic) continue;  // deleted since
    out.topic_partitions.push_back({id.bytes, *topic, {partitions.begin(), partitions.end()}});
  }
  return out;
}

/// A group but for its members.
template <typename Told, typename Described>
Told told_group(const Described& group) {
  Told out;
  out.error_code = wire(group.error);
  if (!group.message.empty()) out.error_message = group.message;
  out.group_id = group.group;
  out.group_state = group.state;
  out.group_epoch = group.epoch.value;
  out.assignment_epoch = group.assignment_epoch.value;
  if constexpr (requires { out.assignor_name; }) out.assignor_name = group.assignor;
  return out;
}

}  // namespace tailrace::kafka
