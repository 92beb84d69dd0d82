// ShareGroupHeartbeat (KIP-932): joins, stays in and leaves a share group.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/share_group_heartbeat_request.h"
#include "kafka/messages/share_group_heartbeat_response.h"

namespace tailrace::kafka {
namespace {

void answer_heartbeat(Call& call, const Result<groups::Answer>& result) {
  ShareGroupHeartbeatResponse response;
  if (!result) {
    response.error_code = kNotKept;
    return call.answer(response);
  }
  const auto& answer = std::get<groups::ShareHeartbeatAnswer>(*result);
  response.error_code = wire(answer.error);
  if (!answer.message.empty()) response.error_message = answer.message;
  if (!answer.member.empty()) response.member_id = answer.member;
  response.member_epoch = answer.epoch.value;
  response.heartbeat_interval_ms = answer.heartbeat_interval_ms;
  if (answer.assignment) {
    auto& told = response.assignment.emplace();
    for (const auto& [topic, partitions] : *answer.assignment) {
      told.topic_partitions.push_back({topic.bytes, {partitions.begin(), partitions.end()}});
    }
  }
  call.answer(response);
}

}  // namespace

void share_group_heartbeat(Call call, const ShareGroupHeartbeatRequest& request) {
  if (call.broker().features().level("share.version") == 0) {
    ShareGroupHeartbeatResponse response;
    response.error_code = wire(ErrorCode::kUnsupportedVersion);
    return call.answer(response);
  }
  groups::ShareHeartbeat event{.group = request.group_id,
                               .member = request.member_id,
                               .epoch = groups::MemberEpoch(request.member_epoch),
                               .rack = request.rack_id,
                               .topics = request.subscribed_topic_names,
                               .client = {call.client_id(), "/" + call.client().peer.address}};
  call.broker().groups().ask(
      std::move(event),
      [call = std::move(call)](const auto& result) mutable { answer_heartbeat(call, result); });
}

}  // namespace tailrace::kafka
