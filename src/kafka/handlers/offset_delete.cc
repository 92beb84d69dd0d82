// OffsetDelete (KIP-496): offsets of topics nobody of the group is subscribed to.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/offset_delete_request.h"
#include "kafka/messages/offset_delete_response.h"

namespace tailrace::kafka {

void offset_delete(Call call, const OffsetDeleteRequest& request) {
  groups::DeleteOffsets event{.group = request.group_id, .topics = {}};
  for (const auto& topic : request.topics) {
    auto& asked = event.topics.emplace_back();
    asked.topic = topic.name;
    for (const auto& partition : topic.partitions) {
      asked.partitions.push_back(partition.partition_index);
    }
  }
  call.broker().groups().ask(std::move(event),
                             [call = std::move(call)](const auto& result) mutable {
                               OffsetDeleteResponse response;
                               if (!result) {
                                 response.error_code = kNotKept;
                                 return call.answer(response);
                               }
                               const auto& answer = std::get<groups::DeleteOffsetsAnswer>(*result);
                               response.error_code = wire(answer.error);
                               for (const auto& topic : answer.topics) {
                                 auto& told = response.topics.emplace_back();
                                 told.name = topic.topic;
                                 for (const auto& one : topic.partitions) {
                                   told.partitions.push_back({one.partition, wire(one.error)});
                                 }
                               }
                               call.answer(response);
                             });
}

}  // namespace tailrace::kafka
