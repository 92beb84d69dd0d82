#include "app/group_members.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "kafka/error_code.h"
#include "kafka/messages/all_messages.h"

namespace tailrace::app {
namespace {

using kafka::Client;
using kafka::Version;

std::unexpected<Error> refused(const std::string& group, std::int16_t code,
                               const std::optional<std::string>& why) {
  const auto name = error_name(static_cast<kafka::ErrorCode>(code));
  return error(Code::kFailedPrecondition,
               fmt::format("group {}: {}{}{}", group, name, why ? ": " : "", why.value_or("")));
}

template <typename Topics>
std::string places(const Topics& topics, auto name) {
  std::vector<std::string> all;
  for (const auto& topic : topics)
    for (const auto partition : topic.partitions)
      all.push_back(fmt::format("{}-{}", name(topic), partition));
  std::ranges::sort(all);
  return fmt::format("{}", fmt::join(all, ", "));
}

/// Nothing where the group's members speak another protocol than consumers do.
std::string assigned_by_a_leader(std::string_view bytes) {
  using Assignment = kafka::ConsumerProtocolAssignment;
  if (bytes.size() < sizeof(std::int16_t)) return {};
  const Version version(load_be<std::int16_t>(bytes.data()));
  kafka::Reader reader(bytes.substr(sizeof(std::int16_t)));
  const auto decoded = Assignment::decode(reader, std::min(version, Assignment::kHighest));
  if (!decoded) return {};
  return places(decoded->assigned_partitions, [](const auto& topic) { return topic.topic; });
}

Json row_of(const std::string& group, const std::string& type, const auto& member,
            std::string assigned) {
  return {{"group", group},
          {"type", type},
          {"member", member.member_id},
          {"client", member.client_id},
          {"host", member.client_host},
          {"assigned", std::move(assigned)}};
}

Result<Json> classic_members(Client& client, const std::string& group) {
  kafka::DescribeGroupsRequest request;
  request.groups = {group};
  ASSIGN(const auto response, client.ask<kafka::DescribeGroupsResponse>(request, Version(5)));
  Json rows = Json::array();
  for (const auto& told : response.groups) {
    if (told.error_code != 0) return refused(group, told.error_code, {});
    for (const auto& member : told.members)
      rows.push_back(
          row_of(group, "classic", member, assigned_by_a_leader(member.member_assignment)));
  }
  return rows;
}

/// Of groups to whose members the broker itself assigns.
template <typename Response, typename Request>
Result<Json> assigned_members(Client& client, const std::string& group, const std::string& type) {
  Request request;
  request.group_ids = {group};
  ASSIGN(const auto response, client.ask<Response>(request));
  Json rows = Json::array();
  for (const auto& told : response.groups) {
    if (told.error_code != 0) return refused(group, told.error_code, told.error_message);
    for (const auto& member : told.members)
      rows.push_back(row_of(group, type, member,
                            places(member.assignment.topic_partitions,
                                   [](const auto& topic) { return topic.topic_name; })));
  }
  return rows;
}

template <typename Tasks>
std::string task_names(const Tasks& tasks) {
  std::vector<std::string> all;
  for (const auto& one : tasks)
    for (const auto partition : one.partitions)
      all.push_back(fmt::format("{}_{}", one.subtopology_id, partition));
  return fmt::format("{}", fmt::join(all, ", "));
}

Result<Json> streams_members(Client& client, const std::string& group) {
  kafka::StreamsGroupDescribeRequest request;
  request.group_ids = {group};
  ASSIGN(const auto response, client.ask<kafka::StreamsGroupDescribeResponse>(request));
  Json rows = Json::array();
  for (const auto& told : response.groups) {
    if (told.error_code != 0) return refused(group, told.error_code, told.error_message);
    for (const auto& member : told.members) {
      auto& row = rows.emplace_back(row_of(group, "streams", member, ""));
      row.erase("assigned");
      row["active"] = task_names(member.assignment.active_tasks);
      row["standby"] = task_names(member.assignment.standby_tasks);
      row["warmup"] = task_names(member.assignment.warmup_tasks);
    }
  }
  return rows;
}

Result<std::string> type_of(Client& client, const std::string& group) {
  ASSIGN(const auto response, client.ask<kafka::ListGroupsResponse>(kafka::ListGroupsRequest{}));
  if (response.error_code != 0) return refused(group, response.error_code, {});
  const auto found =
      std::ranges::find(response.groups, group, &kafka::ListGroupsResponse::ListedGroup::group_id);
  if (found == response.groups.end())
    return error(Code::kNotFound, fmt::format("there is no group {}", group));
  return found->group_type;
}

}  // namespace

Result<Json> group_members(Client& client, const std::string& group) {
  ASSIGN(const auto type, type_of(client, group));
  if (type == "consumer")
    return assigned_members<kafka::ConsumerGroupDescribeResponse,
                            kafka::ConsumerGroupDescribeRequest>(client, group, type);
  if (type == "share")
    return assigned_members<kafka::ShareGroupDescribeResponse, kafka::ShareGroupDescribeRequest>(
        client, group, type);
  if (type == "streams") return streams_members(client, group);
  return classic_members(client, group);
}

Json member_columns(const Json& rows) {
  const bool tasks = !rows.empty() && rows.front().contains("active");
  return tasks ? Json{"member", "client", "host", "active", "standby", "warmup"}
               : Json{"member", "client", "host", "assigned"};
}

}  // namespace tailrace::app
