// Metadata: the broker and its topics; a topic that is asked for by name may be made.
#include <algorithm>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/metadata_request.h"
#include "kafka/messages/metadata_response.h"

namespace tailrace::kafka {
namespace {

using TopicAnswer = MetadataResponse::MetadataResponseTopic;

void describe(Broker& broker, const log::Topic& topic, TopicAnswer& answer) {
  answer.name = topic.name;
  answer.topic_id = topic.id;
  answer.is_internal = Broker::is_internal(topic.name);
  for (std::int32_t i = 0; i < topic.settings.partitions; ++i) {
    auto& partition = answer.partitions.emplace_back();
    partition.partition_index = i;
    partition.leader_id = broker.node_id();
    partition.leader_epoch = kLeaderEpoch;
    partition.replica_nodes = partition.isr_nodes = {broker.node_id()};
    if (!broker.log().partition(topic.name, PartitionId(i))) {
      partition.offline_replicas = {broker.node_id()};
    }
  }
}

TopicAnswer by_name(Broker& broker, const std::string& name, bool create) {
  TopicAnswer answer;
  answer.name = name;
  if (auto topic = broker.find_or_create(name, create)) {
    describe(broker, *topic, answer);
  } else {
    answer.error_code =
        wire(topic.error().code == Code::kInvalidArgument ? ErrorCode::kInvalidTopicException
                                                          : topic_error(topic.error().code));
  }
  return answer;
}

TopicAnswer by_id(Broker& broker, const Uuid& id) {
  TopicAnswer answer;
  answer.topic_id = id;
  answer.name.reset();
  if (const auto topic = broker.log().topic(id)) {
    describe(broker, *topic, answer);
  } else {
    answer.error_code = wire(ErrorCode::kUnknownTopicId);
  }
  return answer;
}

void answer_topics(Call& call, const MetadataRequest& request, MetadataResponse& response) {
  Broker& broker = call.broker();
  if (!request.topics) {
    for (const auto& topic : broker.log().topics()) {
      describe(broker, topic, response.topics.emplace_back());
    }
    return;
  }
  for (const auto& asked : *request.topics) {
    if (asked.name && !asked.name->empty()) {
      response.topics.push_back(by_name(broker, *asked.name, request.allow_auto_topic_creation));
    } else {
      response.topics.push_back(by_id(broker, asked.topic_id));
      // Versions below 12 have no null for a name.
      if (!call.since(12) && !response.topics.back().name) response.topics.back().name = "";
    }
  }
}

/// Whether a topic may have to be made, which takes its time.
bool makes_topics(Broker& broker, const MetadataRequest& request) {
  if (!request.topics || !request.allow_auto_topic_creation) return false;
  return std::ranges::any_of(*request.topics, [&](const auto& asked) {
    return asked.name && !asked.name->empty() && !broker.log().topic(*asked.name);
  });
}

void answer(Call& call, const MetadataRequest& request) {
  const Broker& broker = call.broker();
  MetadataResponse response;
  response.brokers.push_back(
      {broker.node_id(), call.endpoint().host, call.endpoint().port, std::nullopt});
  response.cluster_id = broker.cluster_id();
  response.controller_id = broker.node_id();
  answer_topics(call, request, response);
  call.answer(response);
}

}  // namespace

void metadata(Call call, const MetadataRequest& request) {
  if (!makes_topics(call.broker(), request)) return answer(call, request);
  call.broker().later([call = std::move(call), request]() mutable { answer(call, request); });
}

}  // namespace tailrace::kafka
