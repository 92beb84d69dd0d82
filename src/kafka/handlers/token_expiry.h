// RenewDelegationToken and ExpireDelegationToken differ in what a token's expiry becomes only.
#pragma once

#include <string>
#include <utility>

#include "kafka/handlers/token_answers.h"

namespace tailrace::kafka {

/// `change` is the member of auth::DelegationTokens that does it.
template <typename Response>
void change_expiry(Call call, std::string hmac, std::int64_t period_ms,
                   decltype(&auth::DelegationTokens::renew) change) {
  if (const auto why = no_tokens_here(call.broker())) {
    Response response;
    response.error_code = wire(*why);
    return call.answer(response);
  }
  auto& broker = call.broker();
  broker.later([call = std::move(call), hmac = std::move(hmac), period_ms, change]() mutable {
    const auto expiry = (call.broker().tokens().*change)(hmac, call.client().principal, period_ms);
    Response response;
    if (expiry) {
      response.expiry_timestamp_ms = *expiry;
    } else {
      response.error_code = wire(token_error(expiry.error().code));
    }
    call.answer(response);
  });
}

}  // namespace tailrace::kafka
