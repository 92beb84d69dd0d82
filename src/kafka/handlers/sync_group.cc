// SyncGroup (KIP-559): the leader's assignment, handed to each member.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/sync_group_request.h"
#include "kafka/messages/sync_group_response.h"

namespace tailrace::kafka {
namespace {

void answer_sync(Call& call, const Result<groups::Answer>& result) {
  SyncGroupResponse response;
  if (!result) {
    response.error_code = kNotKept;
    return call.answer(response);
  }
  const auto& answer = std::get<groups::SyncAnswer>(*result);
  response.error_code = wire(answer.error);
  if (call.since(5)) {
    response.protocol_type = answer.protocol_type;
    response.protocol_name = answer.protocol;
  }
  response.assignment = answer.assignment;
  call.answer(response);
}

}  // namespace

void sync_group(Call call, const SyncGroupRequest& request) {
  if (call.since(5) && (!request.protocol_type || !request.protocol_name)) {
    SyncGroupResponse response;
    response.error_code = wire(ErrorCode::kInconsistentGroupProtocol);
    return call.answer(response);
  }
  groups::SyncGroup event{.group = request.group_id,
                          .member = request.member_id,
                          .instance = request.group_instance_id,
                          .generation = groups::Generation(request.generation_id),
                          .protocol_type = request.protocol_type,
                          .protocol = request.protocol_name,
                          .assignments = {}};
  for (const auto& assigned : request.assignments) {
    event.assignments.push_back({assigned.member_id, std::string(assigned.assignment)});
  }
  call.broker().groups().ask(
      std::move(event),
      [call = std::move(call)](const auto& result) mutable { answer_sync(call, result); });
}

}  // namespace tailrace::kafka
