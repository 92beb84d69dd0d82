// A listener: where it listens, what clients are told, and how they prove who they are. Made of
// `listeners`, `advertised.listeners`, `listener.security.protocol.map`, `ssl.*` and `sasl.*`;
// listener.name.NAME.SETTING (NAME in small letters) counts before SETTING.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/principal.h"
#include "auth/scram.h"
#include "auth/web_token.h"
#include "base/metrics.h"
#include "base/result.h"
#include "net/tls.h"

namespace tailrace::kafka {

struct BrokerConfig;

/// Where clients find the one broker of the cluster.
struct Endpoint {
  std::string host;
  std::int32_t port = 0;
};

/// sasl.*: what a client may prove itself with.
struct SaslConfig {
  std::vector<std::string> mechanisms;
  std::map<std::string, std::string> plain_users;  ///< passwords by name
  std::int64_t max_reauth_ms = 0;                  ///< connections.max.reauth.ms
  std::size_t max_receive_bytes = 512 << 10;       ///< sasl.server.max.receive.size
  std::shared_ptr<auth::TokenChecker> tokens;      ///< of OAUTHBEARER
};

struct Listener {
  std::string name = "PLAINTEXT";
  std::string protocol = "PLAINTEXT";  ///< PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL
  Endpoint at;
  Endpoint advertised;  ///< port 0: the one that is listened on
  std::string flag = "--set listeners";
  std::shared_ptr<const net::Tls> tls;  ///< nullptr: plain
  std::shared_ptr<const auth::PrincipalRules> rules;
  std::shared_ptr<const SaslConfig> sasl;             ///< nullptr: nobody is asked for a name
  std::chrono::milliseconds failed_login_delay{100};  ///< connection.failed.authentication.delay.ms
  /// Its own max.connection.creation.rate; what the broker's is for all counts, too.
  std::int64_t connections_a_second = INT32_MAX;
  /// Logins of its clients.
  struct Logins {
    Counter succeeded;
    Counter failed;
  };
  std::shared_ptr<Logins> logins = std::make_shared<Logins>();

  /// "SSL://127.0.0.1:9093"
  std::string text(const Endpoint& endpoint) const;
};

/// kInvalidArgument for what is not HOST:PORT.
Result<Endpoint> parse_address(std::string_view address);

/// All that the settings name, at least one. kInvalidArgument says which setting of which listener
/// cannot be used.
Result<std::vector<Listener>> listeners_of(const BrokerConfig& config);

}  // namespace tailrace::kafka
