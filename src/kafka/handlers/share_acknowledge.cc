// ShareAcknowledge (KIP-932): what became of the records a member had.
#include "kafka/handlers/all.h"
#include "kafka/handlers/share_requests.h"
#include "kafka/messages/share_acknowledge_request.h"
#include "kafka/messages/share_acknowledge_response.h"

namespace tailrace::kafka {
namespace {

ShareAcknowledgeResponse response_of(ShareOutcomes outcomes) {
  ShareAcknowledgeResponse response;
  for (auto& outcome : outcomes) {
    auto& topics = response.responses;
    if (topics.empty() || topics.back().topic_id != outcome.place.first) {
      topics.push_back({outcome.place.first, {}});
    }
    auto& answer = topics.back().partitions.emplace_back();
    answer.partition_index = outcome.place.second.value;
    answer.error_code = wire(outcome.error);
    answer.error_message = std::move(outcome.message);
  }
  return response;
}

}  // namespace

void share_acknowledge(Call call, const ShareAcknowledgeRequest& request) {
  const auto refuse = [&](ErrorCode error) {
    ShareAcknowledgeResponse response;
    response.error_code = wire(error);
    call.answer(response);
  };
  const auto epoch = request.share_session_epoch;
  if (epoch == ShareSessions::kOpens) return refuse(ErrorCode::kInvalidShareSessionEpoch);
  const auto found = share_session(call, request.group_id, request.member_id, epoch);
  if (!found.session) return refuse(found.error);
  auto& broker = call.broker();
  auto said = acknowledgements_in(request.topics, request.is_renew_ack);
  acknowledge_all(broker, *found.session, std::move(said),
                  [call = std::move(call), session = found.session,
                   closes = epoch == ShareSessions::kCloses](ShareOutcomes outcomes) mutable {
                    auto& share = call.broker().share();
                    if (closes) release_all(call.broker(), *session);
                    auto response = response_of(std::move(outcomes));
                    response.acquisition_lock_timeout_ms =
                        share.settings(session->group).partition.record_lock_ms;
                    call.answer(response);
                  });
}

}  // namespace tailrace::kafka
