// Tokens that a client shows instead of a password: JSON Web Tokens (RFC 7519) in the compact form
// HEADER.CLAIMS.SIGNATURE (RFC 7515), signed by an identity provider, or unsigned where that was
// asked for. Who it is, until when, and for what.
//
// What is taken and refused is what Kafka's two validators take and refuse (KIP-768, KIP-255).
// Threads: a TokenChecker is called from any thread, and does not wait.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "auth/json_web_keys.h"
#include "rt/clock.h"

namespace tailrace::auth {

struct WebToken {
  std::string subject;
  std::set<std::string> scopes;
  std::int64_t expires_ms = 0;
};

struct TokenRefusal {
  std::string why;  ///< for the log; holds nothing of the signature
  std::string status = "invalid_token";
  std::string scope = {};                       ///< what it lacks
  std::optional<std::string> missing_key = {};  ///< no key has this id
};

using CheckedToken = std::expected<WebToken, TokenRefusal>;

/// What a signed token has to say.
struct TokenRules {
  std::vector<std::string> audiences;  ///< one of them; none: the token names none either
  std::optional<std::string> issuer;   ///< nullopt: any
  std::string scope_claim = "scope";
  std::string subject_claim = "sub";
  std::int64_t clock_skew_s = 30;
};

CheckedToken check_token(std::string_view token, const JsonWebKeys& keys, const TokenRules& rules,
                         rt::Clock& clock);

/// What an unsigned one has to say. It proves nothing: for tests and closed networks.
struct UnsecuredRules {
  std::string scope_claim = "scope";
  std::string subject_claim = "sub";
  std::vector<std::string> required_scopes;
  std::int64_t clock_skew_ms = 0;
};

CheckedToken check_unsecured_token(std::string_view token, const UnsecuredRules& rules,
                                   rt::Clock& clock);

/// Whoever can tell a good token.
class TokenChecker {
 public:
  virtual ~TokenChecker() = default;
  virtual CheckedToken check(std::string_view token) = 0;
};

}  // namespace tailrace::auth
