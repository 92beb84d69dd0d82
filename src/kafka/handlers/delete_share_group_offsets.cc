// DeleteShareGroupOffsets (KIP-932): an empty share group forgets topics.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/delete_share_group_offsets_request.h"
#include "kafka/messages/delete_share_group_offsets_response.h"

namespace tailrace::kafka {

void delete_share_group_offsets(Call call, const DeleteShareGroupOffsetsRequest& request) {
  groups::DeleteShareOffsets event{.group = request.group_id, .topics = {}};
  for (const auto& topic : request.topics) event.topics.push_back(topic.topic_name);
  call.broker().groups().ask(std::move(event),
                             [call = std::move(call)](const auto& result) mutable {
                               DeleteShareGroupOffsetsResponse response;
                               response.error_code = kNotKept;
                               if (result) {
                                 const auto& answer = std::get<groups::ShareOffsetsAnswer>(*result);
                                 response.error_code = wire(answer.error);
                                 if (!answer.message.empty())
                                   response.error_message = answer.message;
                                 for (const auto& topic : answer.topics) {
                                   auto& told = response.responses.emplace_back();
                                   told.topic_name = topic.topic;
                                   told.topic_id = topic.id.bytes;
                                   told.error_code = wire(topic.error);
                                   if (!topic.message.empty()) told.error_message = topic.message;
                                 }
                               }
                               call.answer(response);
                             });
}

}  // namespace tailrace::kafka
