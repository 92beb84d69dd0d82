// Guards of requests about share groups (KIP-932).
#include "kafka/guarding.h"

namespace tailrace::kafka {
namespace {

bool may_read(const Call& call, const std::string& group) {
  return call.allows(Operation::kRead, Resource::kGroup, group);
}

/// Of topics by id: takes out those that may not be read, and tells it of their partitions.
template <typename Response, typename Request>
bool guard_partitions(Call& call, Request& request) {
  if (!may_read(call, request.group_id.value_or(""))) return deny<Response>(call, kGroupDenied);
  const auto denied = take_out(request.topics, [&](const auto& topic) {
    return may(call, Operation::kRead, topic_name(call, "", topic.topic_id));
  });
  if (denied.empty()) return true;
  const auto change = [denied](const Call&, Response& response) {
    for (const auto& topic : denied) {
      auto& answer = response.responses.emplace_back();
      answer.topic_id = topic.topic_id;
      for (const auto& one : topic.partitions) {
        auto& partition = answer.partitions.emplace_back();
        partition.partition_index = one.partition_index;
        partition.error_code = kTopicDenied;
      }
    }
  };
  call.on_answer<Response>(change);
  return true;
}

}  // namespace

bool guard(Call& call, ShareGroupHeartbeatRequest& request) {
  if (!may_read(call, request.group_id)) {
    return deny<ShareGroupHeartbeatResponse>(call, kGroupDenied);
  }
  if (!request.subscribed_topic_names) return true;
  for (const auto& topic : *request.subscribed_topic_names) {
    if (may(call, Operation::kDescribe, topic)) continue;
    ShareGroupHeartbeatResponse response;
    response.error_code = kTopicDenied;
    call.answer(response);
    return false;
  }
  return true;
}

bool guard(Call& call, ShareGroupDescribeRequest& request) {
  return guard_described<ShareGroupDescribeResponse>(call, request, request.group_ids);
}

bool guard(Call& call, ShareFetchRequest& request) {
  return guard_partitions<ShareFetchResponse>(call, request);
}

bool guard(Call& call, ShareAcknowledgeRequest& request) {
  return guard_partitions<ShareAcknowledgeResponse>(call, request);
}

bool guard(Call& call, DescribeShareGroupOffsetsRequest& request) {
  const auto denied = take_out(request.groups, [&](const auto& group) {
    return call.allows(Operation::kDescribe, Resource::kGroup, group.group_id);
  });
  if (!call.guarded()) return true;
  const auto change = [denied](const Call& by, DescribeShareGroupOffsetsResponse& response) {
    for (auto& group : response.groups) {
      std::erase_if(group.topics, [&](const auto& topic) {
        return !by.allows(Operation::kDescribe, Resource::kTopic, topic.topic_name);
      });
    }
    for (const auto& one : denied) {
      auto& group = response.groups.emplace_back();
      group.group_id = one.group_id;
      group.error_code = kGroupDenied;
    }
  };
  call.on_answer<DescribeShareGroupOffsetsResponse>(change);
  return true;
}

bool guard(Call& call, AlterShareGroupOffsetsRequest& request) {
  if (!may_read(call, request.group_id)) {
    return deny<AlterShareGroupOffsetsResponse>(call, kGroupDenied);
  }
  const auto denied = take_out(request.topics, [&](const auto& topic) {
    return may(call, Operation::kRead, topic.topic_name);
  });
  if (denied.empty()) return true;
  const auto change = [denied](const Call&, AlterShareGroupOffsetsResponse& response) {
    for (const auto& topic : denied) {
      auto& answer = response.responses.emplace_back();
      answer.topic_name = topic.topic_name;
      for (const auto& one : topic.partitions) {
        auto& partition = answer.partitions.emplace_back();
        partition.partition_index = one.partition_index;
        partition.error_code = kTopicDenied;
      }
    }
  };
  call.on_answer<AlterShareGroupOffsetsResponse>(change);
  return true;
}

bool guard(Call& call, DeleteShareGroupOffsetsRequest& request) {
  if (!call.allows(Operation::kDelete, Resource::kGroup, request.group_id)) {
    return deny<DeleteShareGroupOffsetsResponse>(call, kGroupDenied);
  }
  const auto denied = take_out(request.topics, [&](const auto& topic) {
    return may(call, Operation::kRead, topic.topic_name);
  });
  if (denied.empty()) return true;
  const auto change = [denied](const Call&, DeleteShareGroupOffsetsResponse& response) {
    for (const auto& topic : denied) {
      auto& answer = response.responses.emplace_back();
      answer.topic_name = topic.topic_name;
      answer.error_code = kTopicDenied;
    }
  };
  call.on_answer<DeleteShareGroupOffsetsResponse>(change);
  return true;
}

}  // namespace tailrace::kafka
