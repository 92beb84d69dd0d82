// StreamsGroupDescribe (KIP-1071): groups of Kafka Streams programs, with their topology and what
// each member works on and shall.
#include <algorithm>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/assigned_groups.h"
#include "kafka/messages/streams_group_describe_request.h"
#include "kafka/messages/streams_group_describe_response.h"
#include "kafka/streams_shapes.h"

namespace tailrace::kafka {
namespace {

using Response = StreamsGroupDescribeResponse;

Response::Assignment told(const groups::TaskSet& tasks) {
  return {task_ids<Response::TaskIds>(tasks.active), task_ids<Response::TaskIds>(tasks.standby),
          task_ids<Response::TaskIds>(tasks.warmup)};
}

template <typename T>
std::vector<T> sorted(std::vector<T> list) {
  if constexpr (requires { list.front().name; }) {
    std::ranges::sort(list, {}, &T::name);
  } else {
    std::ranges::sort(list);
  }
  return list;
}

Response::Topology told(const groups::StreamsTopology& topology) {
  Response::Topology out;
  out.epoch = topology.epoch;
  auto& parts = out.subtopologies.emplace();
  for (const auto& part : topology.subtopologies) {
    parts.push_back({part.id, sorted(part.sources), sorted(part.repartition_sinks),
                     topic_infos<Response::TopicInfo>(sorted(part.changelogs)),
                     topic_infos<Response::TopicInfo>(sorted(part.repartitions))});
  }
  std::ranges::sort(parts, {}, &Response::Subtopology::subtopology_id);
  return out;
}

Response::Member told(const groups::DescribedStreamsMember& member) {
  Response::Member out;
  out.member_id = member.id;
  out.member_epoch = member.epoch.value;
  out.instance_id = member.about.instance;
  out.rack_id = member.about.rack;
  out.client_id = member.about.client.id;
  out.client_host = member.about.client.host;
  out.topology_epoch = member.about.topology_epoch;
  out.process_id = member.about.process;
  if (const auto& at = member.about.endpoint) {
    out.user_endpoint = Response::Endpoint{at->host, at->port};
  }
  out.client_tags = key_values<Response::KeyValue>(member.about.tags);
  out.assignment = told(member.tasks);
  out.target_assignment = told(member.target);
  return out;
}

Response::DescribedGroup told(const groups::DescribedStreamsGroup& group) {
  auto out = told_group<Response::DescribedGroup>(group);
  if (group.topology) out.topology = told(*group.topology);
  for (const auto& member : group.members) out.members.push_back(told(member));
  return out;
}

}  // namespace

void streams_group_describe(Call call, const StreamsGroupDescribeRequest& request) {
  const auto names = request.group_ids;
  if (call.broker().features().level("streams.version") == 0) {
    Response response;
    for (const auto& name : names) {
      auto& group = response.groups.emplace_back();
      group.group_id = name;
      group.error_code = wire(ErrorCode::kUnsupportedVersion);
    }
    return call.answer(response);
  }
  call.broker().groups().ask(
      groups::DescribeStreamsGroups{.groups = names},
      [call = std::move(call), names](const auto& result) mutable {
        Response response;
        if (result) {
          for (const auto& group : std::get<groups::DescribeStreamsAnswer>(*result).groups) {
            response.groups.push_back(told(group));
          }
          return call.answer(response);
        }
        refuse_each(names, response.groups);
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
