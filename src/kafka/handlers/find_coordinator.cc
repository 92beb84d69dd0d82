// FindCoordinator (KIP-699): every coordinator is this broker, but for who is kept in a partition
// that is damaged: that one has none.
#include <optional>
#include <string>
#include <utility>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/find_coordinator_request.h"
#include "kafka/messages/find_coordinator_response.h"
#include "kafka/share_records.h"

namespace tailrace::kafka {
namespace {

constexpr std::int8_t kGroup = 0;
constexpr std::int8_t kTransaction = 1;
constexpr std::int8_t kShare = 2;

struct Found {
  ErrorCode error = ErrorCode::kNone;
  std::optional<std::string> message = {};
};

Found offline_if(bool offline) {
  if (!offline) return {};
  return {ErrorCode::kCoordinatorNotAvailable, "The coordinator is not available."};
}

Found find(Broker& broker, std::int8_t type, const std::string& key) {
  switch (type) {
    case kGroup:
      return offline_if(broker.groups().is_offline(key));
    case kTransaction:
      return offline_if(broker.transactions().is_offline(key));
    case kShare:
      if (is_share_key_text(key)) return offline_if(broker.share().is_offline(key));
      break;
    default:
      break;
  }
  return {ErrorCode::kInvalidRequest};
}

}  // namespace

void find_coordinator(Call call, const FindCoordinatorRequest& request) {
  Broker& broker = call.broker();
  FindCoordinatorResponse response;
  const auto& at = call.endpoint();
  if (call.since(4)) {
    for (const auto& key : request.coordinator_keys) {
      const Found found = find(broker, request.key_type, key);
      if (found.error == ErrorCode::kNone)
        response.coordinators.push_back({key, broker.node_id(), at.host, at.port, 0, ""});
      else
        response.coordinators.push_back({key, -1, "", -1, wire(found.error), ""});
    }
    return call.answer(response);
  }
  Found found = find(broker, request.key_type, request.key);
  response.error_code = wire(found.error);
  response.error_message = std::move(found.message);
  const bool here = found.error == ErrorCode::kNone;
  response.node_id = here ? broker.node_id() : -1;
  response.host = here ? at.host : "";
  response.port = here ? at.port : -1;
  call.answer(response);
}

}  // namespace tailrace::kafka
