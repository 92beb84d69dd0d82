// ConsumerGroupHeartbeat (KIP-848): joins, stays in and leaves a group whose broker assigns.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/assigned_groups.h"
#include "kafka/messages/consumer_group_heartbeat_request.h"
#include "kafka/messages/consumer_group_heartbeat_response.h"

namespace tailrace::kafka {
namespace {

groups::ConsumerHeartbeat event_of(const Call& call, const ConsumerGroupHeartbeatRequest& request) {
  groups::ConsumerHeartbeat event{.group = request.group_id,
                                  .member = request.member_id,
                                  .epoch = groups::MemberEpoch(request.member_epoch),
                                  .instance = request.instance_id,
                                  .rack = request.rack_id,
                                  .rebalance_timeout_ms = request.rebalance_timeout_ms,
                                  .topics = request.subscribed_topic_names,
                                  .regex = request.subscribed_topic_regex,
                                  .assignor = request.server_assignor,
                                  .owned = {},
                                  .client = {call.client_id(), "/" + call.client().peer.address},
                                  .makes_member_id = !call.since(1)};
  if (const auto* authorizer = call.broker().authorizer()) {
    event.may_describe = [authorizer, principal = call.client().principal.text(),
                          address = call.client().peer.address](const std::string& topic) {
      // He did not name it: a denial is nothing to note.
      return authorizer->allows(
          {principal, address, auth::Operation::kDescribe, auth::Resource::kTopic, topic}, {});
    };
  }
  if (!request.topic_partitions) return event;
  event.owned.emplace();
  for (const auto& topic : *request.topic_partitions) {
    (*event.owned)[{topic.topic_id}].insert(topic.partitions.begin(), topic.partitions.end());
  }
  return event;
}

}  // namespace

void consumer_group_heartbeat(Call call, const ConsumerGroupHeartbeatRequest& request) {
  if (call.broker().features().level("group.version") == 0) {
    ConsumerGroupHeartbeatResponse response;
    response.error_code = wire(ErrorCode::kUnsupportedVersion);
    return call.answer(response);
  }
  auto event = event_of(call, request);
  call.broker().groups().ask(std::move(event), [call =
                                                    std::move(call)](const auto& result) mutable {
    call.answer(heartbeat_response<groups::ConsumerHeartbeatAnswer, ConsumerGroupHeartbeatResponse>(
        result));
  });
}

}  // namespace tailrace::kafka
