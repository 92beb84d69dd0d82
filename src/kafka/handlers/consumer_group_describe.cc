// ConsumerGroupDescribe (KIP-848): groups whose broker assigns, with what each member has and shall
// have.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/assigned_groups.h"
#include "kafka/messages/consumer_group_describe_request.h"
#include "kafka/messages/consumer_group_describe_response.h"

namespace tailrace::kafka {
namespace {

using Response = ConsumerGroupDescribeResponse;
// KIP-1099.
constexpr std::int8_t kClassicMember = 0;
constexpr std::int8_t kConsumerMember = 1;

Response::Member told(const Call& call, const groups::DescribedConsumer& member) {
  Response::Member out;
  out.member_id = member.id;
  out.instance_id = member.instance;
  out.rack_id = member.rack;
  out.member_epoch = member.epoch.value;
  out.client_id = member.client.id;
  out.client_host = member.client.host;
  out.subscribed_topic_names = member.topics;
  out.subscribed_topic_regex = member.regex;
  out.assignment = told_assignment<Response::Assignment>(call.broker(), member.assignment);
  out.target_assignment = told_assignment<Response::Assignment>(call.broker(), member.target);
  if (call.since(1)) out.member_type = member.is_classic ? kClassicMember : kConsumerMember;
  return out;
}

Response::DescribedGroup told(const Call& call, const groups::DescribedConsumerGroup& group) {
  auto out = told_group<Response::DescribedGroup>(group);
  for (const auto& member : group.members) out.members.push_back(told(call, member));
  return out;
}

}  // namespace

void consumer_group_describe(Call call, const ConsumerGroupDescribeRequest& request) {
  const auto names = request.group_ids;
  call.broker().groups().ask(
      groups::DescribeConsumerGroups{.groups = names},
      [call = std::move(call), names](const auto& result) mutable {
        Response response;
        if (result) {
          for (const auto& group : std::get<groups::DescribeConsumersAnswer>(*result).groups) {
            response.groups.push_back(told(call, group));
          }
          return call.answer(response);
        }
        refuse_each(names, response.groups);
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
