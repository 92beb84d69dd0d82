// ExpireDelegationToken (KIP-48): a token is over at another time, or at once.
#include "kafka/handlers/all.h"
#include "kafka/handlers/token_expiry.h"
#include "kafka/messages/expire_delegation_token_request.h"
#include "kafka/messages/expire_delegation_token_response.h"

namespace tailrace::kafka {

void expire_delegation_token(Call call, const ExpireDelegationTokenRequest& request) {
  change_expiry<ExpireDelegationTokenResponse>(std::move(call), std::string(request.hmac),
                                               request.expiry_time_period_ms,
                                               &auth::DelegationTokens::expire);
}

}  // namespace tailrace::kafka
