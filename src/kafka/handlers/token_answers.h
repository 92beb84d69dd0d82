// What the handlers and guards of delegation tokens share: whose they are, and why there is none.
#pragma once

#include <optional>

#include "kafka/broker.h"
#include "kafka/call.h"
#include "kafka/messages/create_delegation_token_request.h"
#include "kafka/messages/create_delegation_token_response.h"

namespace tailrace::kafka {

/// Since this version a token's owner and who asked for it need not be one (KIP-373).
inline constexpr std::int16_t kTellsRequester = 3;

/// Whom a token is asked for: the one who asks where he names nobody (KIP-373).
auth::Principal owner_of(const Call& call, const CreateDelegationTokenRequest& request);

/// What says so.
CreateDelegationTokenResponse no_token(const Call& call, const auth::Principal& owner,
                                       ErrorCode why);

/// Why there are no tokens here at all; nullopt when there are.
std::optional<ErrorCode> no_tokens_here(Broker& broker);

/// A failure of auth::DelegationTokens.
ErrorCode token_error(Code code);

}  // namespace tailrace::kafka
