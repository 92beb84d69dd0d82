// ShareGroupHeartbeat (KIP-932): joins, stays in and leaves a share group.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/assigned_groups.h"
#include "kafka/messages/share_group_heartbeat_request.h"
#include "kafka/messages/share_group_heartbeat_response.h"

namespace tailrace::kafka {
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
      std::move(event), [call = std::move(call)](const auto& result) mutable {
        call.answer(
            heartbeat_response<groups::ShareHeartbeatAnswer, ShareGroupHeartbeatResponse>(result));
      });
}

}  // namespace tailrace::kafka
