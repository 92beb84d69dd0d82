// CreatePartitions: a topic may only grow.
#include <fmt/format.h>

#include <algorithm>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/create_partitions_request.h"
#include "kafka/messages/create_partitions_response.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {
namespace {

using Asked = CreatePartitionsRequest::CreatePartitionsTopic;
using Answer = CreatePartitionsResponse::CreatePartitionsTopicResult;

constexpr std::int16_t kRefusedSince = 3;  // of who is over his quota

Answer grow(Call& call, const Asked& asked, bool validate_only) {
  Broker& broker = call.broker();
  Answer answer;
  answer.name = asked.name;
  const auto fail = [&](ErrorCode code, std::string why) {
    answer.error_code = wire(code);
    answer.error_message = std::move(why);
    return answer;
  };
  auto topic = broker.log().topic(asked.name);
  if (!topic) {
    return fail(ErrorCode::kUnknownTopicOrPartition,
                "This server does not host this topic-partition.");
  }
  const auto now = topic->settings.partitions;
  if (asked.count <= now) {
    return fail(ErrorCode::kInvalidPartitions,
                asked.count == now
                    ? fmt::format("Topic already has {} partition(s).", now)
                    : fmt::format("The topic {} currently has {} partition(s); {} would not be an "
                                  "increase.",
                                  asked.name, now, asked.count));
  }
  if (asked.assignments) {
    const auto more = static_cast<std::int32_t>(asked.assignments->size());
    const bool here = std::ranges::all_of(*asked.assignments, [&](const auto& assigned) {
      return assigned.broker_ids == std::vector{broker.node_id()};
    });
    if (more != asked.count - now || !here) {
      return fail(ErrorCode::kInvalidReplicaAssignment,
                  fmt::format("{} new partitions, each on broker {}, are what can be assigned",
                              asked.count - now, broker.node_id()));
    }
  }
  if (!call.may_change(asked.count - now, call.since(kRefusedSince))) {
    const auto refusal = over_quota();
    return fail(refusal.code, refusal.why);
  }
  topic->settings.partitions = asked.count;
  auto done = validate_only ? log::check_settings(topic->settings)
                            : broker.log().alter_topic(asked.name, topic->settings);
  if (!done) return fail(ErrorCode::kInvalidPartitions, done.error().what);
  if (!validate_only) broker.topic_changed(*topic);
  return answer;
}

}  // namespace

void create_partitions(Call call, const CreatePartitionsRequest& request) {
  call.broker().later([call = std::move(call), request]() mutable {
    CreatePartitionsResponse response;
    for (const auto& asked : request.topics) {
      response.results.push_back(grow(call, asked, request.validate_only));
    }
    call.answer(response);
  });
}

}  // namespace tailrace::kafka
