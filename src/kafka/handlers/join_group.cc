// JoinGroup (KIP-62, 345, 394, 800): answered when all members have joined, or their time is over.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/join_group_request.h"
#include "kafka/messages/join_group_response.h"

namespace tailrace::kafka {
namespace {

groups::JoinGroup event_of(const Call& call, const JoinGroupRequest& request) {
  groups::JoinGroup event{.group = request.group_id,
                          .member = request.member_id,
                          .instance = request.group_instance_id,
                          .session_timeout_ms = request.session_timeout_ms,
                          .rebalance_timeout_ms = request.rebalance_timeout_ms,
                          .protocol_type = request.protocol_type,
                          .protocols = {},
                          .client = {call.client_id(), "/" + call.client().peer.address},
                          .takes_member_id = call.since(4),
                          .takes_skip_assignment = call.since(9)};
  if (!call.since(1)) event.rebalance_timeout_ms = request.session_timeout_ms;
  for (const auto& protocol : request.protocols) {
    event.protocols.push_back({protocol.name, std::string(protocol.metadata)});
  }
  return event;
}

void answer_join(Call& call, const Result<groups::Answer>& result) {
  JoinGroupResponse response;
  if (!result) {
    response.error_code = kNotKept;
    return call.answer(response);
  }
  const auto& answer = std::get<groups::JoinAnswer>(*result);
  response.error_code = wire(answer.error);
  response.generation_id = answer.generation.value;
  if (call.since(7)) {
    response.protocol_type = answer.protocol_type;
    response.protocol_name = answer.protocol;
  } else {
    response.protocol_name = answer.protocol.value_or("");
  }
  response.leader = answer.leader;
  response.skip_assignment = answer.skip_assignment;
  response.member_id = answer.member;
  for (const auto& member : answer.members) {
    response.members.push_back(
        {member.id, call.since(5) ? member.instance : std::nullopt, member.metadata});
  }
  call.answer(response);
}

}  // namespace

void join_group(Call call, const JoinGroupRequest& request) {
  auto event = event_of(call, request);
  call.broker().groups().ask(
      std::move(event),
      [call = std::move(call)](const auto& result) mutable { answer_join(call, result); });
}

}  // namespace tailrace::kafka
