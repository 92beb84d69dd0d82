// ElectLeaders (KIP-183, 460): the one replica leads already.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/elect_leaders_request.h"
#include "kafka/messages/elect_leaders_response.h"

namespace tailrace::kafka {

void elect_leaders(Call call, const ElectLeadersRequest& request) {
  ElectLeadersResponse response;
  // Asked for all, Kafka names only the partitions that were without a leader: none.
  if (!request.topic_partitions) return call.answer(response);
  for (const auto& asked : *request.topic_partitions) {
    const auto topic = call.broker().log().topic(asked.topic);
    auto& answer = response.replica_election_results.emplace_back();
    answer.topic = asked.topic;
    for (const auto index : asked.partitions) {
      if (!topic) {
        answer.partition_result.push_back(
            {index, wire(ErrorCode::kUnknownTopicOrPartition), "No such topic as " + asked.topic});
      } else if (index < 0 || index >= topic->settings.partitions) {
        answer.partition_result.push_back(
            {index, wire(ErrorCode::kUnknownTopicOrPartition),
             "No such partition as " + asked.topic + "-" + std::to_string(index)});
      } else {
        answer.partition_result.push_back(
            {index, wire(ErrorCode::kElectionNotNeeded), std::nullopt});
      }
    }
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
