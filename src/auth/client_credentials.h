// How a program without a person gets a token from an identity provider: the client credentials
// grant (RFC 6749 §4.4), asked as Kafka's own clients ask (KIP-768).
//
//   POST token_url, Authorization: Basic ID:SECRET, grant_type=client_credentials[&scope=SCOPE]
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/result.h"

namespace tailrace::auth {

struct ClientCredentials {
  std::string token_url;
  std::string client_id;
  std::string client_secret;
  std::string scope = {};    ///< empty: what the provider gives
  std::string ca_file = {};  ///< PEM certificates that are trusted instead of the system's
};

struct AccessToken {
  std::string text;
  std::int64_t expires_ms = 0;  ///< milliseconds since 1970
  std::string subject;          ///< as the token says; else the client's id
};

/// Waits for the answer. kPermissionDenied: the provider refuses; else as HttpClient. No message
/// holds the secret or the token.
Result<AccessToken> fetch_access_token(const ClientCredentials& credentials,
                                       std::stop_token stop = {});

}  // namespace tailrace::auth
