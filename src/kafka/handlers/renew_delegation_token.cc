// RenewDelegationToken (KIP-48): puts off when a token is over.
#include "kafka/handlers/all.h"
#include "kafka/handlers/token_expiry.h"
#include "kafka/messages/renew_delegation_token_request.h"
#include "kafka/messages/renew_delegation_token_response.h"

namespace tailrace::kafka {

void renew_delegation_token(Call call, const RenewDelegationTokenRequest& request) {
  change_expiry<RenewDelegationTokenResponse>(std::move(call), std::string(request.hmac),
                                              request.renew_period_ms,
                                              &auth::DelegationTokens::renew);
}

}  // namespace tailrace::kafka
