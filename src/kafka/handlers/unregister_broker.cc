// UnregisterBroker (KIP-500): the one broker stays; there is no other.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/unregister_broker_request.h"
#include "kafka/messages/unregister_broker_response.h"

namespace tailrace::kafka {

void unregister_broker(Call call, const UnregisterBrokerRequest& request) {
  UnregisterBrokerResponse response;
  if (request.broker_id == call.broker().node_id()) {
    response.error_code = wire(ErrorCode::kInvalidRequest);
    response.error_message = "the one broker of this cluster cannot be unregistered";
  } else {
    response.error_code = wire(ErrorCode::kBrokerIdNotRegistered);
    response.error_message =
        "Broker ID " + std::to_string(request.broker_id) + " is not currently registered";
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
