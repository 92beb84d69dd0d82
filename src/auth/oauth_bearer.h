// SASL/OAUTHBEARER (RFC 7628): a client shows a token, in one message. What Kafka's server takes
// and answers; both sides.
//
//   client   n,[a=NAME],^A auth=Bearer TOKEN ^A {NAME=VALUE ^A} ^A        (^A: the byte 1)
//   server   nothing, or {"status":"invalid_token"}, which the client answers with ^A, and is
//   refused
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::auth {

constexpr std::string_view kOAuthBearer = "OAUTHBEARER";

struct BearerMessage {
  std::string authorize_as;  ///< as it was written; empty: whose the token is
  std::string token;
  std::map<std::string, std::string> extensions;
};

/// nullopt for what is not to the letter such a message.
std::optional<BearerMessage> parse_bearer_message(std::string_view bytes);
std::string bearer_message(const BearerMessage& message);

/// What the server says of a token that it does not take.
std::string bearer_refusal(std::string_view status, std::string_view scope);

}  // namespace tailrace::auth
