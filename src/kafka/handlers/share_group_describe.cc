// ShareGroupDescribe (KIP-932): share groups, with what each member has.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/share_group_describe_request.h"
#include "kafka/messages/share_group_describe_response.h"

namespace tailrace::kafka {
namespace {

using Response = ShareGroupDescribeResponse;

Response::Member told(Broker& broker, const groups::DescribedSharer& member) {
  Response::Member out;
  out.member_id = member.id;
  out.rack_id = member.rack;
  out.member_epoch = member.epoch.value;
  out.client_id = member.client.id;
  out.client_host = member.client.host;
  out.subscribed_topic_names = member.topics;
  for (const auto& [id, partitions] : member.assignment) {
    const auto topic = broker.log().topic(id.bytes);
    if (!topic) continue;  // deleted since
    out.assignment.topic_partitions.push_back(
        {id.bytes, topic->name, {partitions.begin(), partitions.end()}});
  }
  return out;
}

Response::DescribedGroup told(Broker& broker, const groups::DescribedShareGroup& group) {
  Response::DescribedGroup out;
  out.error_code = wire(group.error);
  if (!group.message.empty()) out.error_message = group.message;
  out.group_id = group.group;
  out.group_state = group.state;
  out.group_epoch = group.epoch.value;
  out.assignment_epoch = group.assignment_epoch.value;
  out.assignor_name = group.assignor;
  for (const auto& member : group.members) out.members.push_back(told(broker, member));
  return out;
}

}  // namespace

void share_group_describe(Call call, const ShareGroupDescribeRequest& request) {
  const auto names = request.group_ids;
  call.broker().groups().ask(
      groups::DescribeShareGroups{.groups = names},
      [call = std::move(call), names](const auto& result) mutable {
        Response response;
        if (result) {
          for (const auto& group : std::get<groups::DescribeSharersAnswer>(*result).groups) {
            response.groups.push_back(told(call.broker(), group));
          }
          return call.answer(response);
        }
        for (const auto& name : names) {
          auto& group = response.groups.emplace_back();
          group.group_id = name;
          group.error_code = kNotKept;
        }
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
