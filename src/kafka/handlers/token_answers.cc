#include "kafka/handlers/token_answers.h"

namespace tailrace::kafka {

auth::Principal owner_of(const Call& call, const CreateDelegationTokenRequest& request) {
  const auto& name = request.owner_principal_name;
  if (!name || name->empty()) return call.client().principal;
  return {request.owner_principal_type.value_or(""), *name};
}

CreateDelegationTokenResponse no_token(const Call& call, const auth::Principal& owner,
                                       ErrorCode why) {
  const auto& requester = call.client().principal;
  CreateDelegationTokenResponse response;
  response.error_code = wire(why);
  response.principal_type = owner.type;
  response.principal_name = owner.name;
  if (call.since(kTellsRequester)) {
    response.token_requester_principal_type = requester.type;
    response.token_requester_principal_name = requester.name;
  }
  response.issue_timestamp_ms = -1;
  response.expiry_timestamp_ms = -1;
  response.max_timestamp_ms = -1;
  return response;
}

std::optional<ErrorCode> no_tokens_here(Broker& broker) {
  constexpr std::int16_t kSince = 14;  // 3.6-IV2
  if (!broker.tokens().enabled()) return ErrorCode::kDelegationTokenAuthDisabled;
  if (broker.features().level("metadata.version") < kSince) return ErrorCode::kUnsupportedVersion;
  return std::nullopt;
}

ErrorCode token_error(Code code) {
  switch (code) {
    case Code::kNotFound:
      return ErrorCode::kDelegationTokenNotFound;
    case Code::kDeadlineExceeded:
      return ErrorCode::kDelegationTokenExpired;
    case Code::kPermissionDenied:
      return ErrorCode::kDelegationTokenOwnerMismatch;
    case Code::kInvalidArgument:
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
    case Code::kUnimplemented:
    case Code::kInternal:
    case Code::kUnavailable:
    case Code::kDataLoss:
    case Code::kResourceExhausted:
    case Code::kAborted:
    case Code::kCancelled:
      break;
  }
  return ErrorCode::kKafkaStorageError;
}

}  // namespace tailrace::kafka
