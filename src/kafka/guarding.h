// What the guards of requests share: taking parts out of a request, and telling them denied.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "kafka/broker.h"
#include "kafka/guards.h"

namespace tailrace::kafka {

using auth::Operation;
using auth::Resource;

inline constexpr std::int16_t kTopicDenied = wire(ErrorCode::kTopicAuthorizationFailed);
inline constexpr std::int16_t kGroupDenied = wire(ErrorCode::kGroupAuthorizationFailed);
inline constexpr std::int16_t kClusterDenied = wire(ErrorCode::kClusterAuthorizationFailed);
inline constexpr std::int16_t kTransactionDenied =
    wire(ErrorCode::kTransactionalIdAuthorizationFailed);

/// Takes out what `keep` does not want, and gives it back.
template <typename T, typename Keep>
std::vector<T> take_out(std::vector<T>& list, Keep keep) {
  const auto from = std::stable_partition(list.begin(), list.end(), keep);
  std::vector<T> out(std::make_move_iterator(from), std::make_move_iterator(list.end()));
  list.erase(from, list.end());
  return out;
}

/// The name of a topic that a request names by id where it has one; empty for an unknown id.
inline std::string topic_name(const Call& call, const std::string& name, const Uuid& id) {
  if (!name.empty() || id == Uuid{}) return name;
  const auto topic = call.broker().log().topic(id);
  return topic ? topic->name : std::string();
}

/// Ids that nobody knows are left to the handler.
inline bool may(const Call& call, Operation operation, const std::string& topic) {
  return topic.empty() || call.allows(operation, Resource::kTopic, topic);
}

/// Answers the whole of a request with one error.
template <typename Response>
bool deny(Call& call, std::int16_t code) {
  Response response;
  response.error_code = code;
  if constexpr (requires { response.error_message; }) {
    response.error_message =
        code == kClusterDenied ? "Cluster authorization failed." : "Group authorization failed.";
  }
  call.answer(response);
  return false;
}

/// Of a request that describes groups.
template <typename Response, typename Request>
bool guard_described(Call& call, Request& request, std::vector<std::string>& groups) {
  const bool tells = request.include_authorized_operations;
  const auto denied = take_out(groups, [&](const auto& group) {
    return call.allows(Operation::kDescribe, Resource::kGroup, group);
  });
  if (denied.empty() && !tells) return true;
  const auto change = [denied, tells](const Call& by, Response& response) {
    for (auto& group : response.groups) {
      if (!tells || group.error_code != 0) continue;
      group.authorized_operations = by.allowed_operations(Resource::kGroup, group.group_id);
    }
    for (const auto& name : denied) {
      auto& group = response.groups.emplace_back();
      group.group_id = name;
      group.error_code = kGroupDenied;
    }
  };
  call.on_answer<Response>(change);
  return true;
}

}  // namespace tailrace::kafka
