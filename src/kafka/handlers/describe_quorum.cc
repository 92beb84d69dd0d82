// DescribeQuorum (KIP-595, 836): one voter, which leads, and knows all there is to know.
#include <algorithm>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/describe_quorum_request.h"
#include "kafka/messages/describe_quorum_response.h"
#include "rt/clock.h"

namespace tailrace::kafka {
namespace {

constexpr std::string_view kMetadataTopic = "__cluster_metadata";
constexpr std::int32_t kQuorumEpoch = 1;

DescribeQuorumResponse::PartitionData describe(const Call& call) {
  const Broker& broker = call.broker();
  DescribeQuorumResponse::PartitionData partition;
  partition.error_message.reset();
  partition.leader_id = broker.node_id();
  partition.leader_epoch = kQuorumEpoch;
  partition.high_watermark = broker.features().epoch();
  auto& voter = partition.current_voters.emplace_back();
  voter.replica_id = broker.node_id();
  voter.log_end_offset = partition.high_watermark;
  if (call.since(1)) {
    voter.last_fetch_timestamp = rt::system_clock().now().value;
    voter.last_caught_up_timestamp = voter.last_fetch_timestamp;
  }
  return partition;
}

}  // namespace

void describe_quorum(Call call, const DescribeQuorumRequest& request) {
  const Broker& broker = call.broker();
  DescribeQuorumResponse response;
  response.error_message.reset();
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.topic_name = topic.topic_name;
    for (const auto& asked : topic.partitions) {
      if (topic.topic_name == kMetadataTopic && asked.partition_index == 0) {
        answer.partitions.push_back(describe(call));
        continue;
      }
      auto& unknown = answer.partitions.emplace_back();
      unknown.partition_index = asked.partition_index;
      unknown.error_code = wire(ErrorCode::kUnknownTopicOrPartition);
      unknown.error_message.reset();
    }
  }
  if (call.since(2)) {
    const auto& at = call.endpoint();
    response.nodes.push_back(
        {broker.node_id(), {{"CONTROLLER", at.host, static_cast<std::uint16_t>(at.port)}}});
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
