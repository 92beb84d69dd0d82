// CreateTopics: with partitions and settings; one replica is what one broker has.
#include <map>
#include <utility>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/topic_creation.h"

namespace tailrace::kafka {
namespace {

constexpr std::int16_t kRefusedSince = 6;  // of who is over his quota

CreateTopicsResponse create_all(Call& call, const CreateTopicsRequest& request) {
  const MayMake may_make = [&](std::int32_t partitions) {
    return call.may_change(partitions, call.since(kRefusedSince));
  };
  CreateTopicsResponse response;
  std::map<std::string, int> times;
  for (const auto& asked : request.topics) ++times[asked.name];
  for (const auto& asked : request.topics) {
    if (times[asked.name] == 0) continue;  // a name that came twice is answered once
    auto& answer = response.topics.emplace_back();
    answer.name = asked.name;
    answer.error_message.reset();
    std::optional<Refusal> refusal;
    if (std::exchange(times[asked.name], 0) > 1) {
      refusal = {ErrorCode::kInvalidRequest, "Duplicate topic name."};
    } else {
      refusal = create_topic(call.broker(), asked, request.validate_only, answer, may_make);
    }
    if (!refusal) continue;
    answer.error_code = wire(refusal->code);
    answer.error_message = std::move(refusal->why);
    answer.num_partitions = answer.replication_factor = -1;
    answer.configs->clear();
  }
  return response;
}

}  // namespace

void create_topics(Call call, const CreateTopicsRequest& request) {
  call.broker().later(
      [call = std::move(call), request]() mutable { call.answer(create_all(call, request)); });
}

}  // namespace tailrace::kafka
