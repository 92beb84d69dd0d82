// StreamsGroupHeartbeat (KIP-1071): joins, stays in and leaves a group of Kafka Streams programs.
// The topics that a topology needs and has not are made by the broker before it answers; that they
// were missing is told all the same, as in Kafka, and the next heartbeat finds them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/assigned_groups.h"
#include "kafka/messages/streams_group_heartbeat_request.h"
#include "kafka/messages/streams_group_heartbeat_response.h"
#include "kafka/streams_shapes.h"
#include "kafka/topic_creation.h"

namespace tailrace::kafka {
namespace {

using Request = StreamsGroupHeartbeatRequest;
using Response = StreamsGroupHeartbeatResponse;
using Answer = groups::StreamsHeartbeatAnswer;

std::optional<groups::Tasks> told(const std::optional<std::vector<Request::TaskIds>>& tasks) {
  if (!tasks) return std::nullopt;
  return tasks_of(*tasks);
}

groups::StreamsHeartbeat event_of(const Call& call, const Request& request) {
  groups::StreamsHeartbeat event;
  event.group = request.group_id;
  event.member = request.member_id;
  event.epoch = groups::MemberEpoch(request.member_epoch);
  event.endpoint_epoch = request.endpoint_information_epoch;
  event.instance = request.instance_id;
  event.rack = request.rack_id;
  event.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (request.topology) event.topology = topology_of(*request.topology);
  event.active = told(request.active_tasks);
  event.standby = told(request.standby_tasks);
  event.warmup = told(request.warmup_tasks);
  event.process = request.process_id;
  if (const auto& at = request.user_endpoint) {
    event.endpoint = groups::StreamsEndpoint{at->host, at->port};
  }
  if (request.client_tags) event.tags = map_of(*request.client_tags);
  event.tells_offsets = request.task_offsets || request.task_end_offsets;
  event.shutdown = request.shutdown_application;
  event.client = {call.client_id(), "/" + call.client().peer.address};
  return event;
}

std::vector<Response::TopicPartition> told(const groups::Tasks& partitions) {
  std::vector<Response::TopicPartition> out;
  for (const auto& [topic, numbers] : partitions) {
    out.push_back({topic, {numbers.begin(), numbers.end()}});
  }
  return out;
}

Response told(const Answer& answer) {
  Response response;
  response.error_code = wire(answer.error);
  if (!answer.message.empty()) response.error_message = answer.message;
  response.member_id = answer.member;
  response.member_epoch = answer.epoch.value;
  response.heartbeat_interval_ms = answer.heartbeat_interval_ms;
  response.status.emplace();
  for (const auto& status : answer.statuses) {
    response.status->push_back({static_cast<std::int8_t>(status.code), status.detail});
  }
  if (answer.tasks) {
    response.active_tasks = task_ids<Response::TaskIds>(answer.tasks->active);
    response.standby_tasks = task_ids<Response::TaskIds>(answer.tasks->standby);
    response.warmup_tasks = task_ids<Response::TaskIds>(answer.tasks->warmup);
  }
  response.endpoint_information_epoch = answer.endpoint_epoch;
  if (answer.endpoints) {
    auto& all = response.partitions_by_user_endpoint.emplace();
    for (const auto& one : *answer.endpoints) {
      all.push_back({{one.endpoint.host, one.endpoint.port}, told(one.active), told(one.standby)});
    }
  }
  return response;
}

/// Topics that the client may not make; it may not see to any of them then.
std::vector<std::string> forbidden(const Call& call,
                                   const std::vector<groups::InternalTopic>& topics) {
  std::vector<std::string> out;
  if (call.allows(auth::Operation::kCreate, auth::Resource::kCluster, auth::kClusterName, false)) {
    return out;
  }
  for (const auto& topic : topics) {
    if (!call.allows(auth::Operation::kCreate, auth::Resource::kTopic, topic.name)) {
      out.push_back(topic.name);
    }
  }
  return out;
}

/// Why a topic could not be made; empty when it is there.
std::string create(Broker& broker, const groups::InternalTopic& topic) {
  CreateTopicsRequest::CreatableTopic asked;
  asked.name = topic.name;
  asked.num_partitions = topic.partitions;
  asked.replication_factor = topic.replication == 0 ? std::int16_t{-1} : topic.replication;
  for (const auto& [name, value] : topic.configs) asked.configs.push_back({name, value});
  CreateTopicsResponse::CreatableTopicResult answer;
  const auto refusal = create_topic(broker, asked, false, answer);
  if (!refusal || refusal->code == ErrorCode::kTopicAlreadyExists) return {};
  LOG(warn, "topic {} of a streams topology: {}", topic.name, refusal->why);
  return refusal->why;
}

/// What is to be told of making the missing topics, besides that they are missing.
std::string create_all(const Call& call, const std::vector<groups::InternalTopic>& topics) {
  if (const auto names = forbidden(call, topics); !names.empty()) {
    return fmt::format("; Unauthorized to CREATE on topics {}.", fmt::join(names, ", "));
  }
  constexpr std::size_t kShown = 3;
  std::vector<std::string> failures;
  for (const auto& topic : topics) {
    if (auto why = create(call.broker(), topic); !why.empty()) {
      failures.push_back(fmt::format("{} ({})", topic.name, why));
    }
  }
  if (failures.empty()) return {};
  const auto more = failures.size() - std::min(failures.size(), kShown);
  failures.resize(failures.size() - more);
  return fmt::format("; Creation failed: {}{}.", fmt::join(failures, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

void answer(Call call, const Answer& answer) {
  auto response = told(answer);
  if (answer.missing.empty()) return call.answer(response);
  call.broker().later(
      [call = std::move(call), response = std::move(response), missing = answer.missing]() mutable {
        const auto more = create_all(call, missing);
        for (auto& status : *response.status) {
          if (status.status_code ==
              static_cast<std::int8_t>(groups::StreamsStatusCode::kMissingInternalTopics)) {
            status.status_detail += more;
          }
        }
        call.answer(response);
      });
}

/// What Kafka looks at before it asks its coordinator.
std::optional<Refusal> check_topics(const Request& request) {
  if (!request.topology) return std::nullopt;
  for (const auto& part : request.topology->subtopologies) {
    auto names = part.source_topics;
    names.insert(names.end(), part.repartition_sink_topics.begin(),
                 part.repartition_sink_topics.end());
    for (const auto& topic : part.repartition_source_topics) names.push_back(topic.name);
    for (const auto& topic : part.state_changelog_topics) names.push_back(topic.name);
    for (const auto& name : names) {
      if (Broker::is_internal(name)) {
        return Refusal{ErrorCode::kStreamsInvalidTopology,
                       fmt::format("Use of Kafka internal topics {} in a Kafka Streams topology is "
                                   "prohibited.",
                                   name)};
      }
      if (!log::check_topic_name(name)) {
        return Refusal{ErrorCode::kStreamsInvalidTopology,
                       fmt::format("Topic names {} are not valid topic names.", name)};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

void streams_group_heartbeat(Call call, const Request& request) {
  Response refused;
  if (call.broker().features().level("streams.version") == 0) {
    refused.error_code = wire(ErrorCode::kUnsupportedVersion);
    return call.answer(refused);
  }
  if (auto refusal = check_topics(request)) {
    refused.error_code = wire(refusal->code);
    refused.error_message = std::move(refusal->why);
    return call.answer(refused);
  }
  auto event = event_of(call, request);
  call.broker().groups().ask(std::move(event),
                             [call = std::move(call)](const auto& result) mutable {
                               if (result) {
                                 return answer(std::move(call), std::get<Answer>(*result));
                               }
                               Response response;
                               response.error_code = kNotKept;
                               call.answer(response);
                             });
}

}  // namespace tailrace::kafka
