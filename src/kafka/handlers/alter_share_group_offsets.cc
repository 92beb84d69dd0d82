// AlterShareGroupOffsets (KIP-932): an empty share group shall begin elsewhere.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/alter_share_group_offsets_request.h"
#include "kafka/messages/alter_share_group_offsets_response.h"

namespace tailrace::kafka {
namespace {

constexpr const char* kNoPartition = "This server does not host this topic-partition.";

AlterShareGroupOffsetsResponse response_of(const groups::ShareOffsetsAnswer& answer) {
  AlterShareGroupOffsetsResponse response;
  response.error_code = wire(answer.error);
  if (!answer.message.empty()) response.error_message = answer.message;
  for (const auto& topic : answer.topics) {
    auto& told = response.responses.emplace_back();
    told.topic_name = topic.topic;
    told.topic_id = topic.id.bytes;
    for (const auto& one : topic.partitions) {
      auto& partition = told.partitions.emplace_back();
      partition.partition_index = one.partition;
      partition.error_code = wire(one.error);
      if (one.error != ErrorCode::kNone) partition.error_message = kNoPartition;
    }
  }
  return response;
}

}  // namespace

void alter_share_group_offsets(Call call, const AlterShareGroupOffsetsRequest& request) {
  groups::AlterShareOffsets event{.group = request.group_id, .topics = {}};
  for (const auto& topic : request.topics) {
    auto& asked = event.topics.emplace_back();
    asked.topic = topic.topic_name;
    for (const auto& one : topic.partitions) {
      asked.partitions.push_back({one.partition_index, one.start_offset});
    }
  }
  call.broker().groups().ask(
      std::move(event), [call = std::move(call)](const auto& result) mutable {
        AlterShareGroupOffsetsResponse response;
        response.error_code = kNotKept;
        if (result) response = response_of(std::get<groups::ShareOffsetsAnswer>(*result));
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
