// DescribeDelegationToken (KIP-48): the tokens that concern some users, or all; whom they are
// nothing to does not see them (guard_tokens.cc).
#include <algorithm>
#include <list>

#include "kafka/handlers/all.h"
#include "kafka/handlers/token_answers.h"
#include "kafka/messages/describe_delegation_token_request.h"
#include "kafka/messages/describe_delegation_token_response.h"

namespace tailrace::kafka {
namespace {

bool asked_for(const DescribeDelegationTokenRequest& request, const auth::DelegationToken& token) {
  if (!request.owners) return true;
  return std::ranges::any_of(*request.owners, [&](const auto& one) {
    return token.concerns({one.principal_type, one.principal_name});
  });
}

DescribeDelegationTokenResponse::DescribedDelegationToken described(
    const Call& call, const auth::DelegationToken& token, std::string_view hmac) {
  DescribeDelegationTokenResponse::DescribedDelegationToken out;
  out.principal_type = token.owner.type;
  out.principal_name = token.owner.name;
  if (call.since(kTellsRequester)) {
    out.token_requester_principal_type = token.requester.type;
    out.token_requester_principal_name = token.requester.name;
  }
  out.issue_timestamp = token.issued_ms;
  out.expiry_timestamp = token.expiry_ms;
  out.max_timestamp = token.most_ms;
  out.token_id = token.id;
  out.hmac = hmac;
  for (const auto& one : token.renewers) out.renewers.push_back({one.type, one.name});
  return out;
}

}  // namespace

void describe_delegation_token(Call call, const DescribeDelegationTokenRequest& request) {
  DescribeDelegationTokenResponse response;
  auto& tokens = call.broker().tokens();
  if (!tokens.enabled()) {
    response.error_code = wire(ErrorCode::kDelegationTokenAuthDisabled);
    return call.answer(response);
  }
  std::list<std::string> secrets;  // what the response points into
  for (const auto& token : tokens.all()) {
    if (!asked_for(request, token)) continue;
    response.tokens.push_back(described(call, token, secrets.emplace_back(tokens.hmac(token.id))));
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
