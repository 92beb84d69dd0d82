// Guards of requests about streams groups (KIP-1071).
#include "kafka/guarding.h"

namespace tailrace::kafka {
namespace {

/// All topics that a topology names.
template <typename Subtopologies>
std::set<std::string> named_topics(const Subtopologies& parts) {
  std::set<std::string> out;
  for (const auto& part : parts) {
    out.insert(part.source_topics.begin(), part.source_topics.end());
    out.insert(part.repartition_sink_topics.begin(), part.repartition_sink_topics.end());
    for (const auto& topic : part.repartition_source_topics) out.insert(topic.name);
    for (const auto& topic : part.state_changelog_topics) out.insert(topic.name);
  }
  return out;
}

bool may_describe_all(const Call& call, const std::set<std::string>& topics, bool named) {
  return std::ranges::all_of(topics, [&](const auto& topic) {
    return call.allows(Operation::kDescribe, Resource::kTopic, topic, named);
  });
}

using Described = StreamsGroupDescribeResponse::DescribedGroup;

/// Who may not see a topic of the topology sees nothing of the group.
void hide(const Call& by, Described& group) {
  if (!group.topology || !group.topology->subtopologies) return;
  if (may_describe_all(by, named_topics(*group.topology->subtopologies), false)) return;
  Described hidden;
  hidden.group_id = group.group_id;
  hidden.error_code = kTopicDenied;
  hidden.error_message =
      "The described group uses topics that the client is not authorized to describe.";
  group = std::move(hidden);
}

}  // namespace

bool guard(Call& call, StreamsGroupHeartbeatRequest& request) {
  if (!call.allows(Operation::kRead, Resource::kGroup, request.group_id)) {
    return deny<StreamsGroupHeartbeatResponse>(call, kGroupDenied);
  }
  if (!request.topology ||
      may_describe_all(call, named_topics(request.topology->subtopologies), true)) {
    return true;
  }
  StreamsGroupHeartbeatResponse response;
  response.error_code = kTopicDenied;
  call.answer(response);
  return false;
}

bool guard(Call& call, StreamsGroupDescribeRequest& request) {
  const bool tells = request.include_authorized_operations;
  const auto denied = take_out(request.group_ids, [&](const auto& group) {
    return call.allows(Operation::kDescribe, Resource::kGroup, group);
  });
  if (!call.guarded() && !tells) return true;
  call.on_answer<StreamsGroupDescribeResponse>(
      [denied, tells](const Call& by, StreamsGroupDescribeResponse& response) {
        for (auto& group : response.groups) {
          hide(by, group);
          if (!tells || group.error_code != 0) continue;
          group.authorized_operations = by.allowed_operations(Resource::kGroup, group.group_id);
        }
        for (const auto& name : denied) {
          auto& group = response.groups.emplace_back();
          group.group_id = name;
          group.error_code = kGroupDenied;
        }
      });
  return true;
}

}  // namespace tailrace::kafka
