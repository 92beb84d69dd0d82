// SaslHandshake (KIP-43): a client chooses how it will prove who it is.
#include "kafka/handlers/all.h"
#include "kafka/login.h"
#include "kafka/messages/sasl_handshake_request.h"
#include "kafka/messages/sasl_handshake_response.h"

namespace tailrace::kafka {

void sasl_handshake(Call call, const SaslHandshakeRequest& request) {
  SaslHandshakeResponse response;
  auto* sasl = call.client().sasl.get();
  if (sasl == nullptr) {
    response.error_code = wire(ErrorCode::kIllegalSaslState);
    return call.answer(response);
  }
  const auto code = sasl->handshake(request.mechanism, call.version());
  response.error_code = wire(code);
  response.mechanisms = sasl->mechanisms();
  if (code != ErrorCode::kNone && !sasl->known()) {
    const Refusal refusal{code, "mechanism " + request.mechanism.substr(0, 64)};
    call.manner() = settle_login(call.broker(), call.client(), std::unexpected(refusal));
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
