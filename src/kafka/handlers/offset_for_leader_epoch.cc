// OffsetForLeaderEpoch (KIP-101, 320): where the records of an epoch end. There is one epoch, and
// it ends at the log's end.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/offset_for_leader_epoch_request.h"
#include "kafka/messages/offset_for_leader_epoch_response.h"

namespace tailrace::kafka {

void offset_for_leader_epoch(Call call, const OffsetForLeaderEpochRequest& request) {
  OffsetForLeaderEpochResponse response;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.topic = topic.topic;
    for (const auto& asked : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition = asked.partition;
      const auto partition =
          call.broker().log().partition(topic.topic, PartitionId(asked.partition));
      if (!partition) {
        answer.error_code = wire(read_error(partition.error().code));
      } else if (const auto epoch = check_epoch(asked.current_leader_epoch);
                 epoch != ErrorCode::kNone) {
        answer.error_code = wire(epoch);
      } else if (asked.leader_epoch == kLeaderEpoch) {
        answer.leader_epoch = kLeaderEpoch;
        answer.end_offset = (*partition)->high_watermark().value;
      }
    }
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
