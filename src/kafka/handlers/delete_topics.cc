// DeleteTopics: by name, or by id since version 6.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/delete_topics_request.h"
#include "kafka/messages/delete_topics_response.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {
namespace {

using Asked = DeleteTopicsRequest::DeleteTopicState;
using Answer = DeleteTopicsResponse::DeletableTopicResult;

constexpr std::int16_t kRefusedSince = 5;  // of who is over his quota

Answer remove(Call& call, const Asked& asked) {
  Broker& broker = call.broker();
  Answer answer;
  answer.name = asked.name;
  answer.topic_id = asked.topic_id;
  const auto topic =
      asked.name ? broker.log().topic(*asked.name) : broker.log().topic(asked.topic_id);
  const auto fail = [&](ErrorCode code, std::string why) {
    answer.error_code = wire(code);
    answer.error_message = std::move(why);
    return answer;
  };
  if (!broker.config().delete_topics) {
    return fail(ErrorCode::kTopicDeletionDisabled, "delete.topic.enable is false");
  }
  if (!topic && asked.name) {
    return fail(ErrorCode::kUnknownTopicOrPartition,
                "This server does not host this topic-partition.");
  }
  if (!topic) return fail(ErrorCode::kUnknownTopicId, "This server does not host this topic ID.");
  answer.name = topic->name;
  answer.topic_id = topic->id;
  if (!call.may_change(topic->settings.partitions, call.since(kRefusedSince))) {
    const auto refusal = over_quota();
    return fail(refusal.code, refusal.why);
  }
  if (auto gone = broker.log().delete_topic(topic->name); !gone) {
    return fail(topic_error(gone.error().code), gone.error().what);
  }
  broker.topic_deleted(*topic);
  return answer;
}

}  // namespace

void delete_topics(Call call, const DeleteTopicsRequest& request) {
  call.broker().later([call = std::move(call), request]() mutable {
    DeleteTopicsResponse response;
    for (const auto& asked : request.topics) {
      response.responses.push_back(remove(call, asked));
    }
    for (const auto& name : request.topic_names) {
      response.responses.push_back(remove(call, {name, {}}));
    }
    call.answer(response);
  });
}

}  // namespace tailrace::kafka
