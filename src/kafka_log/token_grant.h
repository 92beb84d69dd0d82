// Tokens of SASL/OAUTHBEARER for a client of librdkafka, by the client credentials grant (KIP-768)
// and under librdkafka's own names:
//
//   sasl.oauthbearer.method: oidc                 may be left out
//   sasl.oauthbearer.token.endpoint.url           and .client.id, .client.secret, .scope,
//   .extensions https.ca.location                             PEM certificates instead of the
//   system's
//
// Kafka's names of the newest clients do as well: sasl.oauthbearer.client.credentials.client.id and
// .client.secret. librdkafka would ask the provider itself if it were built with libcurl; Debian's
// is not.
#pragma once

#include <librdkafka/rdkafka.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/client_credentials.h"
#include "base/result.h"

namespace tailrace::kafka_log {

class TokenGrant {
 public:
  /// nullopt where the settings ask for none. kInvalidArgument names what is missing.
  static Result<std::optional<TokenGrant>> of(const std::map<std::string, std::string>& settings);
  /// Whether a setting is the grant's, and not librdkafka's.
  static bool owns(std::string_view name);

  /// Gets a token and gives it to the client, or the reason why there is none: librdkafka asks
  /// again. Waits for the provider.
  void refresh(rd_kafka_t& client) const;

 private:
  auth::ClientCredentials credentials_;
  std::vector<std::pair<std::string, std::string>> extensions_;
};

}  // namespace tailrace::kafka_log
