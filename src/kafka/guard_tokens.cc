// Guards of requests about delegation tokens: a token is nothing to get further tokens with, and
// who has none of his own sees those only that he may describe.
#include <set>

#include "kafka/guarding.h"
#include "kafka/handlers/token_answers.h"

namespace tailrace::kafka {
namespace {

/// Only who has proved who he is, and not by a token.
bool proved(const Call& call) {
  const Caller& client = call.client();
  const auto& protocol = client.listener->protocol;
  if (client.by_token || protocol == "PLAINTEXT") return false;
  return protocol != "SSL" || client.principal != auth::Principal();
}

/// Of a request that gives a token another expiry.
template <typename Response>
bool guard_expiry(Call& call) {
  if (proved(call)) return true;
  Response response;
  response.error_code = wire(ErrorCode::kDelegationTokenRequestNotAllowed);
  response.expiry_timestamp_ms = -1;
  call.answer(response);
  return false;
}

}  // namespace

bool guard(Call& call, CreateDelegationTokenRequest& request) {
  const auto owner = owner_of(call, request);
  std::optional<ErrorCode> denied;
  if (!proved(call)) {
    denied = ErrorCode::kDelegationTokenRequestNotAllowed;
  } else if (owner != call.client().principal &&
             !call.allows(Operation::kCreateTokens, Resource::kUser, owner.text())) {
    denied = ErrorCode::kDelegationTokenAuthorizationFailed;
  }
  if (!denied) return true;
  call.answer(no_token(call, owner, *denied));
  return false;
}

bool guard(Call& call, RenewDelegationTokenRequest& /*request*/) {
  return guard_expiry<RenewDelegationTokenResponse>(call);
}

bool guard(Call& call, ExpireDelegationTokenRequest& /*request*/) {
  return guard_expiry<ExpireDelegationTokenResponse>(call);
}

bool guard(Call& call, DescribeDelegationTokenRequest& /*request*/) {
  if (!proved(call)) {
    DescribeDelegationTokenResponse response;
    response.error_code = wire(ErrorCode::kDelegationTokenRequestNotAllowed);
    call.answer(response);
    return false;
  }
  const auto change = [](const Call& by, DescribeDelegationTokenResponse& response) {
    std::set<std::string> own;
    for (const auto& token : by.broker().tokens().all()) {
      if (token.concerns(by.client().principal)) own.insert(token.id);
    }
    std::erase_if(response.tokens, [&](const auto& token) {
      const auth::Principal owner{token.principal_type, token.principal_name};
      return !own.contains(token.token_id) &&
             !by.allows(Operation::kDescribe, Resource::kDelegationToken, token.token_id, false) &&
             !by.allows(Operation::kDescribeTokens, Resource::kUser, owner.text(), false);
    });
  };
  call.on_answer<DescribeDelegationTokenResponse>(change);
  return true;
}

}  // namespace tailrace::kafka
