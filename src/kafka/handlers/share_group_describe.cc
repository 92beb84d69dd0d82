// ShareGroupDescribe (KIP-932): share groups, with what each member has.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/assigned_groups.h"
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
  out.assignment = told_assignment<Response::Assignment>(broker, member.assignment);
  return out;
}

Response::DescribedGroup told(Broker& broker, const groups::DescribedShareGroup& group) {
  auto out = told_group<Response::DescribedGroup>(group);
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
        refuse_each(names, response.groups);
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
