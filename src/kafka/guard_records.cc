// Guards of requests about records and where they are.
#include <set>

#include "kafka/guarding.h"

namespace tailrace::kafka {
namespace {

void deny_partitions(const ProduceRequest::TopicProduceData& topic, std::int16_t code,
                     ProduceResponse& response) {
  auto& answer = response.responses.emplace_back();
  answer.name = topic.name;
  answer.topic_id = topic.topic_id;
  for (const auto& data : topic.partition_data) {
    auto& partition = answer.partition_responses.emplace_back();
    partition.index = data.index;
    partition.error_code = code;
    partition.base_offset = -1;
  }
}

}  // namespace

bool guard(Call& call, ProduceRequest& request) {
  if (!call.guarded()) return true;
  std::vector<ProduceRequest::TopicProduceData> denied;
  std::int16_t code = kTopicDenied;
  if (request.transactional_id &&
      !call.allows(Operation::kWrite, Resource::kTransactionalId, *request.transactional_id)) {
    code = kTransactionDenied;
    denied = std::exchange(request.topic_data, {});
  } else {
    denied = take_out(request.topic_data, [&](const auto& topic) {
      return may(call, Operation::kWrite, topic_name(call, topic.name, topic.topic_id));
    });
  }
  if (denied.empty()) return true;
  // Without answers the end of the connection is how a client learns of it.
  if (request.acks == 0) {
    call.refuse("records that may not be written, by a client that waits for no answers");
    return false;
  }
  for (auto& topic : denied) {
    for (auto& data : topic.partition_data) data.records.reset();
  }
  call.on_answer<ProduceResponse>([denied, code](const Call&, ProduceResponse& response) {
    for (const auto& topic : denied) deny_partitions(topic, code, response);
  });
  return true;
}

bool guard(Call& call, ListOffsetsRequest& request) {
  const auto denied = take_out(request.topics, [&](const auto& topic) {
    return may(call, Operation::kDescribe, topic.name);
  });
  if (denied.empty()) return true;
  call.on_answer<ListOffsetsResponse>([denied](const Call&, ListOffsetsResponse& response) {
    for (const auto& topic : denied) {
      auto& answer = response.topics.emplace_back();
      answer.name = topic.name;
      for (const auto& one : topic.partitions) {
        auto& partition = answer.partitions.emplace_back();
        partition.partition_index = one.partition_index;
        partition.error_code = kTopicDenied;
      }
    }
  });
  return true;
}

bool guard(Call& call, OffsetForLeaderEpochRequest& request) {
  const auto denied = take_out(request.topics, [&](const auto& topic) {
    return may(call, Operation::kDescribe, topic.topic);
  });
  if (denied.empty()) return true;
  call.on_answer<OffsetForLeaderEpochResponse>(
      [denied](const Call&, OffsetForLeaderEpochResponse& response) {
        for (const auto& topic : denied) {
          auto& answer = response.topics.emplace_back();
          answer.topic = topic.topic;
          for (const auto& one : topic.partitions) {
            auto& partition = answer.partitions.emplace_back();
            partition.partition = one.partition;
            partition.error_code = kTopicDenied;
          }
        }
      });
  return true;
}

bool guard(Call& call, DeleteRecordsRequest& request) {
  const auto denied = take_out(
      request.topics, [&](const auto& topic) { return may(call, Operation::kDelete, topic.name); });
  if (denied.empty()) return true;
  call.on_answer<DeleteRecordsResponse>([denied](const Call&, DeleteRecordsResponse& response) {
    for (const auto& topic : denied) {
      auto& answer = response.topics.emplace_back();
      answer.name = topic.name;
      for (const auto& one : topic.partitions) {
        answer.partitions.push_back({one.partition_index, -1, kTopicDenied});
      }
    }
  });
  return true;
}

namespace {

using Described = MetadataResponse::MetadataResponseTopic;

/// Topics that were not named are not told of; of ids it is not told that they are topics.
void conceal(const Call& call, bool all, const std::set<Uuid>& ids, MetadataResponse& response) {
  std::erase_if(response.topics, [&](Described& topic) {
    const bool found = topic.error_code == 0 && topic.name;
    const bool by_id = ids.contains(topic.topic_id);
    if (!found || !(all || by_id)) return false;
    if (call.allows(Operation::kDescribe, Resource::kTopic, *topic.name, by_id)) return false;
    if (all) return true;
    const auto id = topic.topic_id;
    topic = {};
    topic.topic_id = id;
    topic.name.reset();
    topic.error_code = wire(ErrorCode::kUnknownTopicId);
    return false;
  });
}

void tell_operations(const Call& call, const MetadataRequest& request, MetadataResponse& response) {
  if (request.include_topic_authorized_operations) {
    for (auto& topic : response.topics) {
      if (topic.error_code != 0 || !topic.name) continue;
      topic.topic_authorized_operations = call.allowed_operations(Resource::kTopic, *topic.name);
    }
  }
  if (request.include_cluster_authorized_operations) {
    response.cluster_authorized_operations =
        call.allowed_operations(Resource::kCluster, auth::kClusterName);
  }
}

/// Whether a topic that is asked for by name may be told of, and made where it would be.
bool may_describe(const Call& call, const MetadataRequest& request, const std::string& name) {
  if (!may(call, Operation::kDescribe, name)) return false;
  const bool makes = request.allow_auto_topic_creation &&
                     call.broker().config().auto_create_topics && !call.broker().log().topic(name);
  return !makes || call.allows(Operation::kCreate, Resource::kCluster, auth::kClusterName, false) ||
         call.allows(Operation::kCreate, Resource::kTopic, name);
}

}  // namespace

bool guard(Call& call, MetadataRequest& request) {
  const bool tells =
      request.include_topic_authorized_operations || request.include_cluster_authorized_operations;
  if (!call.guarded() && !tells) return true;
  std::vector<Described> denied;
  std::set<Uuid> ids;
  const bool all = !request.topics;
  if (!all) {
    const auto out = take_out(*request.topics, [&](const auto& topic) {
      return !topic.name || topic.name->empty() || may_describe(call, request, *topic.name);
    });
    for (const auto& topic : out) {
      auto& answer = denied.emplace_back();
      answer.name = topic.name;
      answer.error_code = kTopicDenied;
    }
    for (const auto& topic : *request.topics) ids.insert(topic.topic_id);
    ids.erase(Uuid{});
  }
  call.on_answer<MetadataResponse>(
      [asked = request, denied, ids, all](const Call& by, MetadataResponse& response) {
        conceal(by, all, ids, response);
        tell_operations(by, asked, response);
        response.topics.insert(response.topics.end(), denied.begin(), denied.end());
      });
  return true;
}

bool guard(Call& call, DescribeTopicPartitionsRequest& request) {
  std::vector<std::string> denied;
  for (const auto& topic : take_out(request.topics, [&](const auto& one) {
         return may(call, Operation::kDescribe, one.name);
       })) {
    denied.push_back(topic.name);
  }
  using Response = DescribeTopicPartitionsResponse;
  // A list that has become empty would be all topics.
  const bool none = request.topics.empty() && !denied.empty();
  const bool all = request.topics.empty() && denied.empty();
  const auto change = [denied, all, none](const Call& by, Response& response) {
    std::erase_if(response.topics, [&](const auto& topic) {
      return none || (all && topic.name &&
                      !by.allows(Operation::kDescribe, Resource::kTopic, *topic.name, false));
    });
    if (none) response.next_cursor.reset();
    for (auto& topic : response.topics) {
      if (topic.error_code != 0 || !topic.name) continue;
      topic.topic_authorized_operations = by.allowed_operations(Resource::kTopic, *topic.name);
    }
    for (const auto& name : denied) {
      auto& answer = response.topics.emplace_back();
      answer.name = name;
      answer.error_code = kTopicDenied;
    }
  };
  call.on_answer<Response>(change);
  return true;
}

bool guard(Call& call, DescribeProducersRequest& request) {
  const auto denied = take_out(
      request.topics, [&](const auto& topic) { return may(call, Operation::kRead, topic.name); });
  if (denied.empty()) return true;
  call.on_answer<DescribeProducersResponse>(
      [denied](const Call&, DescribeProducersResponse& response) {
        for (const auto& topic : denied) {
          auto& answer = response.topics.emplace_back();
          answer.name = topic.name;
          for (const auto index : topic.partition_indexes) {
            auto& partition = answer.partitions.emplace_back();
            partition.partition_index = index;
            partition.error_code = kTopicDenied;
          }
        }
      });
  return true;
}

}  // namespace tailrace::kafka
