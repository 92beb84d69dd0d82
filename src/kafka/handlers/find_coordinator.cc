// FindCoordinator (KIP-699): every coordinator is this broker.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/find_coordinator_request.h"
#include "kafka/messages/find_coordinator_response.h"
#include "kafka/share_records.h"

namespace tailrace::kafka {
namespace {

constexpr std::int8_t kShare = 2;
constexpr std::int8_t kLastKeyType = kShare;  // after group and transaction

}  // namespace

void find_coordinator(Call call, const FindCoordinatorRequest& request) {
  const Broker& broker = call.broker();
  FindCoordinatorResponse response;
  const bool known = request.key_type >= 0 && request.key_type <= kLastKeyType;
  const auto code = wire(known ? ErrorCode::kNone : ErrorCode::kInvalidRequest);
  const auto node = known ? broker.node_id() : -1;
  const auto& at = call.endpoint();
  if (call.since(4)) {
    for (const auto& key : request.coordinator_keys) {
      if (request.key_type == kShare && !is_share_key_text(key)) {
        constexpr auto kRefused = wire(ErrorCode::kInvalidRequest);
        response.coordinators.push_back({key, -1, "", -1, kRefused, ""});
        continue;
      }
      response.coordinators.push_back({key, node, at.host, at.port, code, ""});
    }
    return call.answer(response);
  }
  response.error_code = code;
  response.error_message.reset();
  response.node_id = node;
  response.host = at.host;
  response.port = at.port;
  call.answer(response);
}

}  // namespace tailrace::kafka
