// Guards of requests about groups: classic ones and those of KIP-848.
#include "kafka/guarding.h"

namespace tailrace::kafka {
namespace {

bool may_read(const Call& call, const std::string& group) {
  return call.allows(Operation::kRead, Resource::kGroup, group);
}

/// Denies all of a request of a group's member, in its own answer.
template <typename Response>
bool member(Call& call, const std::string& group) {
  if (may_read(call, group)) return true;
  Response response;
  response.error_code = kGroupDenied;
  call.answer(response);
  return false;
}

void deny_topic(const OffsetCommitRequest::OffsetCommitRequestTopic& topic, std::int16_t code,
                OffsetCommitResponse& response) {
  auto& answer = response.topics.emplace_back();
  answer.name = topic.name;
  answer.topic_id = topic.topic_id;
  for (const auto& one : topic.partitions) answer.partitions.push_back({one.partition_index, code});
}

}  // namespace

bool guard(Call& call, OffsetCommitRequest& request) {
  if (!may_read(call, request.group_id)) {
    OffsetCommitResponse response;
    for (const auto& topic : request.topics) deny_topic(topic, kGroupDenied, response);
    call.answer(response);
    return false;
  }
  const auto denied = take_out(request.topics, [&](const auto& topic) {
    return may(call, Operation::kRead, topic_name(call, topic.name, topic.topic_id));
  });
  if (denied.empty()) return true;
  const auto change = [denied](const Call&, OffsetCommitResponse& response) {
    for (const auto& topic : denied) deny_topic(topic, kTopicDenied, response);
  };
  call.on_answer<OffsetCommitResponse>(change);
  // An empty commit is one of its own, to the coordinator.
  if (!request.topics.empty()) return true;
  call.answer(OffsetCommitResponse{});
  return false;
}

namespace {

using FetchGroup = OffsetFetchRequest::OffsetFetchRequestGroup;
using GroupAnswer = OffsetFetchResponse::OffsetFetchResponseGroup;

/// What a group's answer gets that may be asked for itself.
GroupAnswer denied_topics(const Call& call, FetchGroup& group) {
  GroupAnswer answer;
  answer.group_id = group.group_id;
  if (!group.topics) return answer;
  const auto denied = take_out(*group.topics, [&](const auto& topic) {
    return may(call, Operation::kDescribe, topic_name(call, topic.name, topic.topic_id));
  });
  for (const auto& topic : denied) {
    auto& told = answer.topics.emplace_back();
    told.name = topic.name;
    told.topic_id = topic.topic_id;
    for (const auto index : topic.partition_indexes) {
      told.partitions.push_back({index, -1, -1, "", kTopicDenied});
    }
  }
  return answer;
}

/// Where all topics were asked for, those that may not be described are not told of.
void conceal(const Call& call, GroupAnswer& group) {
  std::erase_if(group.topics, [&](const auto& topic) {
    const auto name = topic_name(call, topic.name, topic.topic_id);
    return !name.empty() && !call.allows(Operation::kDescribe, Resource::kTopic, name, false);
  });
}

bool guard_flat(Call& call, OffsetFetchRequest& request) {
  if (!call.allows(Operation::kDescribe, Resource::kGroup, request.group_id)) {
    OffsetFetchResponse response;
    if (call.since(2)) response.error_code = kGroupDenied;
    if (request.topics) {
      for (const auto& topic : *request.topics) {
        auto& told = response.topics.emplace_back();
        told.name = topic.name;
        for (const auto index : topic.partition_indexes) {
          auto& partition = told.partitions.emplace_back();
          partition.partition_index = index;
          partition.committed_offset = -1;
          partition.error_code = kGroupDenied;
        }
      }
    }
    call.answer(response);
    return false;
  }
  std::vector<OffsetFetchRequest::OffsetFetchRequestTopic> denied;
  if (request.topics) {
    denied = take_out(*request.topics, [&](const auto& topic) {
      return may(call, Operation::kDescribe, topic.name);
    });
  }
  const auto change = [denied, all = !request.topics](const Call& by,
                                                      OffsetFetchResponse& response) {
    std::erase_if(response.topics, [&](const auto& topic) {
      return all && !by.allows(Operation::kDescribe, Resource::kTopic, topic.name, false);
    });
    for (const auto& topic : denied) {
      auto& told = response.topics.emplace_back();
      told.name = topic.name;
      for (const auto index : topic.partition_indexes) {
        auto& partition = told.partitions.emplace_back();
        partition.partition_index = index;
        partition.committed_offset = -1;
        partition.error_code = kTopicDenied;
      }
    }
  };
  call.on_answer<OffsetFetchResponse>(change);
  return true;
}

}  // namespace

bool guard(Call& call, OffsetFetchRequest& request) {
  if (!call.guarded()) return true;
  if (!call.since(8)) return guard_flat(call, request);
  std::vector<GroupAnswer> denied;
  for (const auto& group : take_out(request.groups, [&](const auto& one) {
         return call.allows(Operation::kDescribe, Resource::kGroup, one.group_id);
       })) {
    auto& answer = denied.emplace_back();
    answer.group_id = group.group_id;
    answer.error_code = kGroupDenied;
  }
  std::vector<GroupAnswer> partly;
  for (auto& group : request.groups) {
    partly.push_back(denied_topics(call, group));
  }
  std::vector<bool> all;
  for (const auto& group : request.groups) all.push_back(!group.topics);
  const auto change = [denied, partly, all](const Call& by, OffsetFetchResponse& response) {
    for (std::size_t i = 0; i < response.groups.size() && i < partly.size(); ++i) {
      auto& group = response.groups[i];
      if (all[i]) conceal(by, group);
      group.topics.insert(group.topics.end(), partly[i].topics.begin(), partly[i].topics.end());
    }
    response.groups.insert(response.groups.end(), denied.begin(), denied.end());
  };
  call.on_answer<OffsetFetchResponse>(change);
  return true;
}

namespace {

constexpr std::int8_t kTransactionKey = 1;
constexpr std::int8_t kShareKey = 2;

bool may_find(const Call& call, std::int8_t type, const std::string& key) {
  if (type == kShareKey) return call.allows_on_cluster(Operation::kClusterAction);
  return call.allows(Operation::kDescribe,
                     type == kTransactionKey ? Resource::kTransactionalId : Resource::kGroup, key);
}

}  // namespace

bool guard(Call& call, FindCoordinatorRequest& request) {
  const auto type = request.key_type;
  const auto code = type == kTransactionKey ? kTransactionDenied
                    : type == kShareKey     ? kClusterDenied
                                            : kGroupDenied;
  if (!call.since(4)) {
    if (may_find(call, type, request.key)) return true;
    FindCoordinatorResponse response;
    response.error_code = code;
    response.node_id = -1;
    response.port = -1;
    call.answer(response);
    return false;
  }
  const auto denied = take_out(request.coordinator_keys,
                               [&](const auto& key) { return may_find(call, type, key); });
  if (denied.empty()) return true;
  const auto change = [denied, code](const Call&, FindCoordinatorResponse& response) {
    for (const auto& key : denied) {
      response.coordinators.push_back({key, -1, "", -1, code, std::nullopt});
    }
  };
  call.on_answer<FindCoordinatorResponse>(change);
  return true;
}

bool guard(Call& call, JoinGroupRequest& request) {
  if (may_read(call, request.group_id)) return true;
  JoinGroupResponse response;
  response.error_code = kGroupDenied;
  if (!call.since(7)) response.protocol_name = "";
  call.answer(response);
  return false;
}

bool guard(Call& call, SyncGroupRequest& request) {
  return member<SyncGroupResponse>(call, request.group_id);
}

bool guard(Call& call, HeartbeatRequest& request) {
  return member<HeartbeatResponse>(call, request.group_id);
}

bool guard(Call& call, LeaveGroupRequest& request) {
  return member<LeaveGroupResponse>(call, request.group_id);
}

namespace {}  // namespace

bool guard(Call& call, DescribeGroupsRequest& request) {
  return guard_described<DescribeGroupsResponse>(call, request, request.groups);
}

bool guard(Call& call, ConsumerGroupDescribeRequest& request) {
  return guard_described<ConsumerGroupDescribeResponse>(call, request, request.group_ids);
}

bool guard(Call& call, ListGroupsRequest& /*request*/) {
  if (call.allows(Operation::kDescribe, Resource::kCluster, auth::kClusterName, false)) return true;
  call.on_answer<ListGroupsResponse>([](const Call& by, ListGroupsResponse& response) {
    std::erase_if(response.groups, [&](const auto& group) {
      return !by.allows(Operation::kDescribe, Resource::kGroup, group.group_id, false);
    });
  });
  return true;
}

bool guard(Call& call, DeleteGroupsRequest& request) {
  const auto denied = take_out(request.groups_names, [&](const auto& group) {
    return call.allows(Operation::kDelete, Resource::kGroup, group);
  });
  if (denied.empty()) return true;
  call.on_answer<DeleteGroupsResponse>([denied](const Call&, DeleteGroupsResponse& response) {
    for (const auto& group : denied) response.results.push_back({group, kGroupDenied});
  });
  return true;
}

bool guard(Call& call, OffsetDeleteRequest& request) {
  if (!call.allows(Operation::kDelete, Resource::kGroup, request.group_id)) {
    return deny<OffsetDeleteResponse>(call, kGroupDenied);
  }
  const auto denied = take_out(
      request.topics, [&](const auto& topic) { return may(call, Operation::kRead, topic.name); });
  if (denied.empty()) return true;
  call.on_answer<OffsetDeleteResponse>([denied](const Call&, OffsetDeleteResponse& response) {
    for (const auto& topic : denied) {
      auto& answer = response.topics.emplace_back();
      answer.name = topic.name;
      for (const auto& one : topic.partitions) {
        answer.partitions.push_back({one.partition_index, kTopicDenied});
      }
    }
  });
  return true;
}

bool guard(Call& call, ConsumerGroupHeartbeatRequest& request) {
  if (!member<ConsumerGroupHeartbeatResponse>(call, request.group_id)) return false;
  if (!request.subscribed_topic_names) return true;
  for (const auto& topic : *request.subscribed_topic_names) {
    if (!may(call, Operation::kDescribe, topic)) {
      ConsumerGroupHeartbeatResponse response;
      response.error_code = kTopicDenied;
      call.answer(response);
      return false;
    }
  }
  return true;
}

}  // namespace tailrace::kafka
