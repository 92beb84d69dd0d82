#include "kafka/sasl.h"

#include <fmt/format.h>

#include <algorithm>

#include "auth/digest.h"
#include "auth/oauth_bearer.h"
#include "base/base64.h"
#include "base/log.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kNonceBytes = 24;

}  // namespace

std::optional<std::string> Sasl::refusal(ApiKey key) const {
  const bool of_sasl = key == ApiKey::kSaslHandshake || key == ApiKey::kSaslAuthenticate;
  switch (state_) {
    case State::kFailed:
      return "a request after a login that failed";
    case State::kMessages:
      if (key == ApiKey::kSaslAuthenticate) return std::nullopt;
      return "a request in the middle of a login";
    case State::kOpen:
      break;
  }
  if (known_) {
    const bool over = ends_ && Clock::now() >= *ends_ && !of_sasl && key != ApiKey::kApiVersions;
    return over ? std::optional<std::string>("its login is over, and was not renewed")
                : std::nullopt;
  }
  if (key == ApiKey::kApiVersions || key == ApiKey::kSaslHandshake) return std::nullopt;
  return "a request before a login (security.protocol of the client?)";
}

ErrorCode Sasl::handshake(const std::string& mechanism, Version version) {
  if (std::ranges::find(config_->mechanisms, mechanism) == config_->mechanisms.end()) {
    if (!known_) state_ = State::kFailed;
    return ErrorCode::kUnsupportedSaslMechanism;
  }
  mechanism_ = mechanism;
  bare_ = version.value == 0;
  state_ = State::kMessages;
  challenged_ = false;
  token_left_ms_.reset();
  by_token_ = false;
  refused_.reset();
  scram_.reset();
  if (const auto hash = auth::scram_mechanism(mechanism)) {
    scram_.emplace(*hash, encode_base64(auth::random_bytes(kNonceBytes)));
  }
  return ErrorCode::kNone;
}

std::unexpected<Refusal> Sasl::fail(std::string why) {
  state_ = State::kFailed;
  return std::unexpected(Refusal{ErrorCode::kSaslAuthenticationFailed, std::move(why)});
}

std::unexpected<Refusal> Sasl::wrong_credentials() {
  return fail(fmt::format(
      "Authentication failed during {} due to invalid credentials with SASL mechanism {}",
      known_ ? "re-authentication" : "authentication", mechanism_));
}

std::expected<Sasl::Step, Refusal> Sasl::message(std::string_view bytes) {
  if (state_ != State::kMessages) {
    return std::unexpected(Refusal{ErrorCode::kIllegalSaslState,
                                   "SaslAuthenticate request received after successful "
                                   "authentication"});
  }
  if (mechanism_ == auth::kOAuthBearer) return bearer(bytes);
  return scram_ ? scram(bytes) : plain(bytes);
}

/// RFC 4616: [authzid] NUL authcid NUL passwd.
std::expected<Sasl::Step, Refusal> Sasl::plain(std::string_view bytes) {
  const auto first = bytes.find('\0');
  const auto second = first == std::string_view::npos ? first : bytes.find('\0', first + 1);
  if (second == std::string_view::npos || bytes.find('\0', second + 1) != std::string_view::npos) {
    return fail("Invalid SASL/PLAIN response: expected 3 tokens");
  }
  const auto as = bytes.substr(0, first);
  const std::string user(bytes.substr(first + 1, second - first - 1));
  const auto password = bytes.substr(second + 1);
  if (user.empty()) return fail("Authentication failed: username not specified");
  if (password.empty()) return fail("Authentication failed: password not specified");
  const auto found = config_->plain_users.find(user);
  if (found == config_->plain_users.end() || !auth::same_secret(found->second, password)) {
    return fail("Authentication failed: Invalid username or password");
  }
  if (!as.empty() && as != user) {
    return fail(
        "Authentication failed: Client requested an authorization id that is different "
        "from username");
  }
  return succeed(user, "");
}

std::expected<Sasl::Step, Refusal> Sasl::scram(std::string_view bytes) {
  if (challenged_) {
    auto signature = scram_->finish(bytes);
    return signature ? succeed(user_, std::move(*signature)) : wrong_credentials();
  }
  const auto hello = scram_->first(bytes);
  if (!hello) return wrong_credentials();
  if (!hello->authorize_as.empty() && hello->authorize_as != hello->user) {
    return wrong_credentials();
  }
  const auto credential = credential_of(*hello);
  if (!credential) return wrong_credentials();
  challenged_ = true;
  return Step{.message = scram_->challenge(*credential), .principal = {}};
}

/// RFC 7628: one message. Of a token that is not taken the client is told why first, and has to
/// say that it has understood before it is refused.
std::expected<Sasl::Step, Refusal> Sasl::bearer(std::string_view bytes) {
  if (refused_ && bytes == "\x01") return fail(*refused_);
  refused_.reset();
  const auto message = auth::parse_bearer_message(bytes);
  if (!message) return wrong_credentials();
  auto token = config_->tokens->check(message->token);
  if (!token) {
    LOG(warn, "kafka: a token is not taken: {}", token.error().why);
    refused_ = auth::bearer_refusal(token.error().status, token.error().scope);
    return Step{.message = *refused_, .principal = {}};
  }
  if (!message->authorize_as.empty() && message->authorize_as != token->subject) {
    return fail(fmt::format(
        "Authentication failed: Client requested an authorization id ({}) that is different from "
        "the token's principal name ({})",
        message->authorize_as, token->subject));
  }
  const auto left = token->expires_ms - rt::system_clock().now().value;
  token_left_ms_ = std::max<std::int64_t>(left, 0);
  return succeed(std::move(token->subject), "");
}

/// Of a user's password, or of a token's secret: then the name is the token's id.
std::optional<auth::ScramCredential> Sasl::credential_of(const auth::ScramServer::Hello& hello) {
  const auto mechanism = *auth::scram_mechanism(mechanism_);
  if (!hello.by_token) {
    user_ = hello.user;
    return users_.find(user_, mechanism);
  }
  auto login = tokens_.login(hello.user, mechanism);
  if (!login) return std::nullopt;
  user_ = login->owner.name;
  token_left_ms_ = login->left_ms;
  by_token_ = true;
  return std::move(login->credential);
}

std::expected<Sasl::Step, Refusal> Sasl::succeed(std::string user, std::string message) {
  if (known_ && (user != known_user_ || mechanism_ != known_mechanism_)) {
    return fail(
        fmt::format("Cannot change principals during re-authentication from User:{} to User:{}",
                    known_user_, user));
  }
  known_ = true;
  state_ = State::kOpen;
  known_user_ = user;
  known_mechanism_ = mechanism_;
  // How long it holds: 0 of no token is for ever.
  constexpr std::int64_t kMostMs = std::chrono::milliseconds(std::chrono::years(100)).count();
  auto lifetime_ms = config_->max_reauth_ms;
  if (token_left_ms_) {
    const auto most = lifetime_ms > 0 ? lifetime_ms : kMostMs;
    lifetime_ms = std::min(*token_left_ms_, most);
  }
  ends_.reset();
  if (lifetime_ms > 0 || token_left_ms_) {
    ends_ = Clock::now() + std::chrono::milliseconds(std::min(lifetime_ms, kMostMs));
  }
  return Step{.message = std::move(message),
              .principal = auth::Principal{"User", std::move(user)},
              .by_token = by_token_,
              .lifetime_ms = lifetime_ms};
}

}  // namespace tailrace::kafka
