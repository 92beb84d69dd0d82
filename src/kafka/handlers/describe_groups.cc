// DescribeGroups: classic groups, their members and assignments.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/describe_groups_request.h"
#include "kafka/messages/describe_groups_response.h"

namespace tailrace::kafka {
namespace {

DescribeGroupsResponse::DescribedGroup told(const Call& call, const groups::DescribedGroup& group) {
  DescribeGroupsResponse::DescribedGroup out;
  out.error_code = wire(group.error);
  if (call.since(6) && !group.message.empty()) out.error_message = group.message;
  out.group_id = group.group;
  out.group_state = group.state;
  out.protocol_type = group.protocol_type;
  out.protocol_data = group.protocol;
  for (const auto& member : group.members) {
    out.members.push_back({member.id, call.since(4) ? member.instance : std::nullopt,
                           member.client.id, member.client.host, member.metadata,
                           member.assignment});
  }
  return out;
}

}  // namespace

void describe_groups(Call call, const DescribeGroupsRequest& request) {
  groups::DescribeGroups event{.groups = request.groups, .tells_missing = call.since(6)};
  const auto names = request.groups;
  call.broker().groups().ask(
      std::move(event), [call = std::move(call), names](const auto& result) mutable {
        DescribeGroupsResponse response;
        if (result) {
          for (const auto& group : std::get<groups::DescribeAnswer>(*result).groups) {
            response.groups.push_back(told(call, group));
          }
          return call.answer(response);
        }
        refuse_each(names, response.groups);
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
