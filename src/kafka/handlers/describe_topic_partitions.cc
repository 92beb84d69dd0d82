// DescribeTopicPartitions (KIP-966): topics by name order, a page at a time.
#include <algorithm>
#include <set>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/describe_topic_partitions_request.h"
#include "kafka/messages/describe_topic_partitions_response.h"

namespace tailrace::kafka {
namespace {

constexpr std::int32_t kMostAtOnce = 2000;  // max.request.partition.size.limit
using Response = DescribeTopicPartitionsResponse;

/// The topic's partitions from `from` on; false when the page was full before its end.
bool describe(Broker& broker, const log::Topic& topic, std::int32_t from, std::int32_t& room,
              Response& response) {
  auto& answer = response.topics.emplace_back();
  answer.name = topic.name;
  answer.topic_id = topic.id;
  answer.is_internal = Broker::is_internal(topic.name);
  for (std::int32_t i = from; i < topic.settings.partitions; ++i) {
    if (room-- == 0) {
      response.next_cursor = Response::Cursor{topic.name, i};
      return false;
    }
    auto& partition = answer.partitions.emplace_back();
    partition.partition_index = i;
    partition.leader_id = broker.node_id();
    partition.leader_epoch = kLeaderEpoch;
    partition.replica_nodes = partition.isr_nodes = {broker.node_id()};
    if (!broker.log().partition(topic.name, PartitionId(i))) {
      partition.offline_replicas = {broker.node_id()};
    }
    partition.eligible_leader_replicas.emplace();
    partition.last_known_elr.emplace();
  }
  return true;
}

}  // namespace

void describe_topic_partitions(Call call, const DescribeTopicPartitionsRequest& request) {
  Broker& broker = call.broker();
  std::set<std::string> names;
  for (const auto& topic : request.topics) names.insert(topic.name);
  if (request.topics.empty()) {
    for (const auto& topic : broker.log().topics()) names.insert(topic.name);
  }
  Response response;
  std::int32_t room = std::clamp(request.response_partition_limit, 1, kMostAtOnce);
  for (const auto& name : names) {
    if (request.cursor && name < request.cursor->topic_name) continue;
    const auto topic = broker.log().topic(name);
    const bool here = request.cursor && name == request.cursor->topic_name;
    if (!topic) {
      auto& answer = response.topics.emplace_back();
      answer.name = name;
      answer.error_code = wire(ErrorCode::kUnknownTopicOrPartition);
    } else if (!describe(broker, *topic, here ? request.cursor->partition_index : 0, room,
                         response)) {
      break;
    }
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
