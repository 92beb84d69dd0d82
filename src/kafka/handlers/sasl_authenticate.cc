// SaslAuthenticate (KIP-152, 368): a message of the mechanism that was chosen.
#include "kafka/handlers/all.h"
#include "kafka/login.h"
#include "kafka/messages/sasl_authenticate_request.h"
#include "kafka/messages/sasl_authenticate_response.h"

namespace tailrace::kafka {

void sasl_authenticate(Call call, const SaslAuthenticateRequest& request) {
  SaslAuthenticateResponse response;
  response.error_message.reset();
  auto* sasl = call.client().sasl.get();
  const auto step = sasl != nullptr
                        ? sasl->message(request.auth_bytes)
                        : std::unexpected(Refusal{ErrorCode::kIllegalSaslState,
                                                  "SaslAuthenticate request received after "
                                                  "successful authentication"});
  if (step) {
    response.auth_bytes = step->message;
    // Clients of version 0 do not know that they have to come again.
    response.session_lifetime_ms = call.since(1) ? step->lifetime_ms : 0;
    settle_login(call.broker(), call.client(), step);
  } else {
    response.error_code = wire(step.error().code);
    response.error_message = step.error().why;
    const bool ends = step.error().code == ErrorCode::kSaslAuthenticationFailed;
    if (ends) call.manner() = settle_login(call.broker(), call.client(), step);
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
