// What is said of a Cassandra that is somewhere else: its URL, who asks, and whom TLS trusts.
//
//   url := "cassandra://" host [":" port] {"," host [":" port]} "/" keyspace
//
// A host is a name, a number, or [v6]. The port is 9042 unless it is said; one that is said of the
// first host is that of the others too.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::cql_client {

struct Endpoint {
  std::string host;
  std::uint16_t port = 9042;

  std::string text() const;
  bool operator==(const Endpoint&) const = default;
};

struct Address {
  std::vector<Endpoint> hosts;
  std::string keyspace;  ///< as CQL keeps it: lower-case
};

/// Whether a role's text is the URL of a Cassandra.
bool is_cassandra_url(std::string_view text);

/// kInvalidArgument says what is wrong and how a URL is written.
Result<Address> parse_url(std::string_view url);

struct ClientConfig {
  std::vector<Endpoint> hosts;
  std::string user, password;  ///< SASL PLAIN; empty: none
  bool tls = false;
  std::string trusted;                                ///< PEM; empty: the system's authorities
  std::string certificate, key;                       ///< PEM, shown to the server; empty: none
  std::chrono::milliseconds connect_patience{5'000};  ///< of a connection that is being made
  std::chrono::milliseconds patience{12'000};         ///< of a write's answer
  std::chrono::milliseconds most_pause{5'000};        ///< between two tries
  std::size_t in_flight = 256;                        ///< requests without an answer
};

}  // namespace tailrace::cql_client
