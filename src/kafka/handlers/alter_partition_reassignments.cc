// AlterPartitionReassignments (KIP-455): to the one broker is where every partition is already.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/alter_partition_reassignments_request.h"
#include "kafka/messages/alter_partition_reassignments_response.h"

namespace tailrace::kafka {
namespace {

using Asked = AlterPartitionReassignmentsRequest::ReassignablePartition;
using Answer = AlterPartitionReassignmentsResponse::ReassignablePartitionResponse;

Answer reassign(Broker& broker, const std::string& topic, const Asked& asked) {
  Answer answer;
  answer.partition_index = asked.partition_index;
  answer.error_message.reset();
  const auto fail = [&](ErrorCode code, std::string why) {
    answer.error_code = wire(code);
    answer.error_message = std::move(why);
    return answer;
  };
  if (!broker.log().topic(topic)) {
    return fail(ErrorCode::kUnknownTopicOrPartition, "Unable to find a topic named " + topic + ".");
  }
  if (!broker.log().partition(topic, PartitionId(asked.partition_index))) {
    return fail(
        ErrorCode::kUnknownTopicOrPartition,
        "Unable to find partition " + topic + ":" + std::to_string(asked.partition_index) + ".");
  }
  if (!asked.replicas) return fail(ErrorCode::kNoReassignmentInProgress, {});
  if (*asked.replicas == std::vector{broker.node_id()}) return answer;
  return fail(ErrorCode::kInvalidReplicaAssignment,
              "The one broker of this cluster is " + std::to_string(broker.node_id()) + ".");
}

}  // namespace

void alter_partition_reassignments(Call call, const AlterPartitionReassignmentsRequest& request) {
  AlterPartitionReassignmentsResponse response;
  response.error_message.reset();
  for (const auto& topic : request.topics) {
    auto& answer = response.responses.emplace_back();
    answer.name = topic.name;
    for (const auto& asked : topic.partitions) {
      answer.partitions.push_back(reassign(call.broker(), topic.name, asked));
    }
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
