// ListOffsets: the earliest and the latest offset, the first one at or after a time, and the one of
// the largest timestamp.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/list_offsets_request.h"
#include "kafka/messages/list_offsets_response.h"

namespace tailrace::kafka {
namespace {

// Timestamps with a meaning (KIP-79, 405, 734, 1005).
constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kMaxTimestamp = -3;
constexpr std::int64_t kEarliestLocal = -4;
constexpr std::int64_t kLatestTiered = -5;
constexpr std::int64_t kEarliestPendingUpload = -6;

using PartitionAnswer = ListOffsetsResponse::ListOffsetsPartitionResponse;

void set(PartitionAnswer& answer, std::int64_t offset, std::int64_t timestamp = -1) {
  answer.offset = offset;
  answer.timestamp = timestamp;
}

void look_up(log::Partition& partition, std::int64_t time, bool committed,
             PartitionAnswer& answer) {
  const Offset end = committed ? partition.last_stable_offset() : partition.high_watermark();
  switch (time) {
    case kLatest:
      return set(answer, end.value);
    case kEarliest:
    case kEarliestLocal:
      return set(answer, partition.log_start().value);
    case kLatestTiered:
    case kEarliestPendingUpload:
      return;  // nothing is tiered
    default:
      break;
  }
  const auto found = time == kMaxTimestamp ? partition.offset_of_max_timestamp()
                                           : partition.offset_for_time(TimestampMs(time));
  if (!found) {
    answer.error_code = wire(read_error(found.error().code));
  } else if (*found && (*found)->offset < end) {
    set(answer, (*found)->offset.value, (*found)->timestamp.value);
  }
}

}  // namespace

void list_offsets(Call call, const ListOffsetsRequest& request) {
  ListOffsetsResponse response;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    for (const auto& asked : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = asked.partition_index;
      const auto partition =
          call.broker().log().partition(topic.name, PartitionId(asked.partition_index));
      if (!partition) {
        answer.error_code = wire(read_error(partition.error().code));
      } else if (const auto epoch = check_epoch(asked.current_leader_epoch);
                 epoch != ErrorCode::kNone) {
        answer.error_code = wire(epoch);
      } else {
        look_up(**partition, asked.timestamp, request.isolation_level == 1, answer);
        if (call.since(4) && answer.offset >= 0) answer.leader_epoch = kLeaderEpoch;
      }
    }
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
