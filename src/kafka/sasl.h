// A connection proves who it is (KIP-43, 152, 368): which mechanism, the messages of it, and until
// when that holds. One object a connection, used on its thread.
//
//   SaslHandshake(mechanism) → SaslAuthenticate(message) … until one is the last
//
// Of old clients (SaslHandshake of version 0) the messages come bare, without a request's header.
// Once it is known who it is the same may be asked for again, in the same mechanism and by the same
// user (re-authentication); where `connections.max.reauth.ms` is set it has to be in time, and
// where it was a delegation token (KIP-48, `tokenauth=true` of SCRAM) or a token of OAUTHBEARER
// before the token is over.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/delegation_tokens.h"
#include "auth/principal.h"
#include "auth/scram.h"
#include "auth/scram_users.h"
#include "kafka/listener.h"
#include "kafka/messages/api_table.h"
#include "kafka/refusal.h"
#include "kafka/wire.h"

namespace tailrace::kafka {

class Sasl {
 public:
  using Clock = std::chrono::steady_clock;

  Sasl(std::shared_ptr<const SaslConfig> config, auth::ScramUsers& users,
       auth::DelegationTokens& tokens)
      : config_(std::move(config)), users_(users), tokens_(tokens) {}

  /// Why a request may not be served now; nullopt when it may.
  std::optional<std::string> refusal(ApiKey key) const;
  bool known() const { return known_; }
  /// Whether the next frame is a message of the mechanism and no request.
  bool bare() const { return bare_ && state_ == State::kMessages; }

  const std::vector<std::string>& mechanisms() const { return config_->mechanisms; }
  const std::string& mechanism() const { return mechanism_; }
  std::size_t max_receive_bytes() const { return config_->max_receive_bytes; }

  /// Chooses a mechanism; kUnsupportedSaslMechanism, kIllegalSaslState.
  ErrorCode handshake(const std::string& mechanism, Version version);

  struct Step {
    std::string message;
    std::optional<auth::Principal> principal;  ///< with the last message
    bool by_token = false;                     ///< with it: that of the one who gave the token
    std::int64_t lifetime_ms = 0;  ///< with it: until it has to be asked for again; 0: ever
  };
  /// A message's answer. A refusal is the connection's end.
  std::expected<Step, Refusal> message(std::string_view bytes);

 private:
  enum class State { kOpen, kMessages, kFailed };

  std::expected<Step, Refusal> plain(std::string_view bytes);
  std::expected<Step, Refusal> scram(std::string_view bytes);
  std::expected<Step, Refusal> bearer(std::string_view bytes);
  std::optional<auth::ScramCredential> credential_of(const auth::ScramServer::Hello& hello);
  std::expected<Step, Refusal> succeed(std::string user, std::string message);
  std::unexpected<Refusal> fail(std::string why);
  std::unexpected<Refusal> wrong_credentials();

  const std::shared_ptr<const SaslConfig> config_;
  auth::ScramUsers& users_;
  auth::DelegationTokens& tokens_;
  State state_ = State::kOpen;
  bool bare_ = false;
  bool known_ = false;
  std::string mechanism_;
  std::string user_;  // of the conversation, then who it is
  std::string known_user_;
  std::string known_mechanism_;
  std::optional<auth::ScramServer> scram_;
  bool challenged_ = false;
  std::optional<std::int64_t> token_left_ms_;  // of the token of the conversation
  std::optional<Clock::time_point> ends_;
  bool by_token_ = false;               // the token is one that a user of this broker gave
  std::optional<std::string> refused_;  // what was said of a token, until the client knows
};

}  // namespace tailrace::kafka
