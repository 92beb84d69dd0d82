// Delegation tokens (KIP-48, 373): what a user who has logged in gives to workers of his, so that
// they log in as him without his password. A token has an id, which is its name at the login, and
// a secret, HMAC-SHA-512 of the id with the server's key, which is its password: it is computed
// and never kept. It ends at its expiry, which its owner and its renewers put off, up to its most.
//
//   line:  ID OWNER REQUESTER ISSUED EXPIRY MOST { RENEWER }      times in ms, others "User:alice"
//
// Tokens that are over stay until the next check, each check_interval_ms, as they do in Kafka.
// Threads: all calls from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/principal.h"
#include "auth/scram.h"
#include "base/result.h"
#include "rt/clock.h"

namespace tailrace::auth {

struct DelegationToken {
  std::string id;
  Principal owner;
  Principal requester;  ///< who asked for it; its owner, or somebody who may do so for him
  std::int64_t issued_ms = 0;
  std::int64_t expiry_ms = 0;
  std::int64_t most_ms = 0;  ///< the latest that its expiry can be put off to
  std::vector<Principal> renewers;

  bool operator==(const DelegationToken&) const = default;
  bool renewed_by(const Principal& who) const;
  /// Whether it is about him: he owns it, asked for it, or may renew it.
  bool concerns(const Principal& who) const;
  bool over(std::int64_t now_ms) const { return most_ms < now_ms || expiry_ms < now_ms; }
};

struct DelegationTokenConfig {
  std::string secret_key;                      ///< delegation.token.secret.key; empty: no tokens
  std::int64_t max_lifetime_ms = 604'800'000;  ///< delegation.token.max.lifetime.ms
  std::int64_t expiry_time_ms = 86'400'000;    ///< delegation.token.expiry.time.ms
  std::int64_t check_interval_ms = 3'600'000;  ///< delegation.token.expiry.check.interval.ms
};

class DelegationTokens {
 public:
  DelegationTokens(std::string path, DelegationTokenConfig config,
                   const rt::Clock& clock = rt::system_clock());
  /// Reads the tokens. kDataLoss names the file.
  Status open();

  bool enabled() const { return !config_.secret_key.empty(); }
  /// The secret of a token: 64 bytes. Clients log in with their base64.
  std::string hmac(const std::string& id) const;

  // What these return is durable.
  /// `lifetime_ms` below 1: the longest. Its issue, expiry, most and id are set.
  Result<DelegationToken> create(Principal owner, Principal requester,
                                 std::vector<Principal> renewers, std::int64_t lifetime_ms);
  /// The new expiry; `period_ms` below 1: the usual. kNotFound, kDeadlineExceeded: it is over,
  /// kPermissionDenied: `by` is neither its owner nor a renewer.
  Result<std::int64_t> renew(const std::string& hmac, const Principal& by, std::int64_t period_ms);
  /// The same; `period_ms` below 0: it is gone at once.
  Result<std::int64_t> expire(const std::string& hmac, const Principal& by, std::int64_t period_ms);

  /// By id.
  std::vector<DelegationToken> all();

  struct Login {
    Principal owner;
    ScramCredential credential;
    std::int64_t left_ms = 0;  ///< how long the token holds
  };
  /// nullopt for an id that there is not, and for a token that is over.
  std::optional<Login> login(const std::string& id, ScramMechanism mechanism);

 private:
  using Tokens = std::map<std::string, DelegationToken>;

  std::int64_t now() const { return clock_.now().value; }
  void sweep();
  void forget_secrets();
  Result<DelegationToken> find(const std::string& hmac) const;
  Result<std::int64_t> move_expiry(DelegationToken token, std::int64_t by_ms);
  Status save(Tokens tokens);
  ScramCredential credential(const std::string& id, ScramMechanism mechanism);

  const std::string path_;
  const DelegationTokenConfig config_;
  const rt::Clock& clock_;
  std::mutex mutex_;
  Tokens tokens_;
  std::map<std::string, std::string> ids_;  // by secret
  std::map<std::pair<std::string, ScramMechanism>, ScramCredential> credentials_;
  std::chrono::nanoseconds next_check_{};
};

}  // namespace tailrace::auth
