// LeaveGroup (KIP-345): one member, or several at once since version 3.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/leave_group_request.h"
#include "kafka/messages/leave_group_response.h"

namespace tailrace::kafka {
namespace {

void answer_leave(Call& call, const Result<groups::Answer>& result) {
  LeaveGroupResponse response;
  if (!result) {
    response.error_code = kNotKept;
    return call.answer(response);
  }
  const auto& answer = std::get<groups::LeaveAnswer>(*result);
  response.error_code = wire(answer.error);
  if (call.since(3)) {
    for (const auto& member : answer.members) {
      response.members.push_back({member.id, member.instance, wire(member.error)});
    }
  } else if (response.error_code == 0 && !answer.members.empty()) {
    response.error_code = wire(answer.members.front().error);
  }
  call.answer(response);
}

}  // namespace

void leave_group(Call call, const LeaveGroupRequest& request) {
  groups::LeaveGroup event{.group = request.group_id, .members = {}};
  if (!call.since(3)) event.members.push_back({request.member_id, std::nullopt});
  for (const auto& member : request.members) {
    event.members.push_back({member.member_id, member.group_instance_id});
  }
  call.broker().groups().ask(
      std::move(event),
      [call = std::move(call)](const auto& result) mutable { answer_leave(call, result); });
}

}  // namespace tailrace::kafka
