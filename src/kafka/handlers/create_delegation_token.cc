// CreateDelegationToken (KIP-48, 373): a token for who asks, or for another user.
#include <algorithm>

#include "kafka/handlers/all.h"
#include "kafka/handlers/token_answers.h"

namespace tailrace::kafka {
namespace {

void create(Call& call, const auth::Principal& owner, std::vector<auth::Principal> renewers,
            std::int64_t lifetime_ms) {
  auto& tokens = call.broker().tokens();
  const auto token =
      tokens.create(owner, call.client().principal, std::move(renewers), lifetime_ms);
  if (!token) return call.answer(no_token(call, owner, token_error(token.error().code)));
  auto response = no_token(call, owner, ErrorCode::kNone);
  const auto hmac = tokens.hmac(token->id);
  response.issue_timestamp_ms = token->issued_ms;
  response.expiry_timestamp_ms = token->expiry_ms;
  response.max_timestamp_ms = token->most_ms;
  response.token_id = token->id;
  response.hmac = hmac;
  call.answer(response);
}

}  // namespace

void create_delegation_token(Call call, const CreateDelegationTokenRequest& request) {
  auto owner = owner_of(call, request);
  const auto& asked = request.renewers;
  const bool users = std::ranges::all_of(
      asked, [](const auto& one) { return one.principal_type == auth::Principal().type; });
  if (!users || owner.type.empty()) {
    return call.answer(no_token(call, owner, ErrorCode::kInvalidPrincipalType));
  }
  if (const auto why = no_tokens_here(call.broker())) {
    auto response = no_token(call, owner, *why);
    response.issue_timestamp_ms = response.expiry_timestamp_ms = response.max_timestamp_ms = 0;
    return call.answer(response);
  }
  std::vector<auth::Principal> renewers;
  for (const auto& one : asked) renewers.push_back({one.principal_type, one.principal_name});
  auto& broker = call.broker();
  broker.later([call = std::move(call), owner = std::move(owner), renewers = std::move(renewers),
                lifetime_ms = request.max_lifetime_ms]() mutable {
    create(call, owner, std::move(renewers), lifetime_ms);
  });
}

}  // namespace tailrace::kafka
