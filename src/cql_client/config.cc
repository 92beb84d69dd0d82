#include "cql_client/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tailrace::cql_client {
namespace {

constexpr std::string_view kScheme = "cassandra://";
constexpr std::size_t kMostName = 48;  // Cassandra's SchemaConstants.NAME_LENGTH

std::unexpected<Error> bad(std::string_view url, std::string_view why) {
  return error(Code::kInvalidArgument,
               fmt::format("{}: {}; write cassandra://HOST:PORT/KEYSPACE", url, why));
}

Result<std::uint16_t> port_of(std::string_view url, std::string_view text) {
  unsigned number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || number == 0 || number > 65535)
    return bad(url, "a port is 1 to 65535");
  return static_cast<std::uint16_t>(number);
}

Result<Endpoint> endpoint_of(std::string_view url, std::string_view text,
                             std::optional<std::uint16_t>& said) {
  Endpoint endpoint;
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return bad(url, "a ] is missing");
    host = text.substr(1, bracket - 1);
    if (!text.substr(bracket + 1).empty() && text[bracket + 1] != ':')
      return bad(url, "a colon and the port follow a ]");
    port = text.substr(std::min(text.size(), bracket + 2));
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host.empty()) return bad(url, "a host is missing");
  endpoint.host = host;
  if (host.size() != text.size() && !text.ends_with(']')) {
    ASSIGN(endpoint.port, port_of(url, port));
    if (!said) said = endpoint.port;
  } else if (said) {
    endpoint.port = *said;
  }
  return endpoint;
}

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::string Endpoint::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

bool is_cassandra_url(std::string_view text) {
  return text.starts_with(kScheme);
}

Result<Address> parse_url(std::string_view url) {
  if (!is_cassandra_url(url)) return bad(url, "a Cassandra is named otherwise");
  if (url.find('@') != std::string_view::npos)
    return error(Code::kInvalidArgument,
                 "a cassandra:// URL has no user in it: write `url`, `user` and `password` below "
                 "`serving`");
  std::string_view rest = url.substr(kScheme.size());
  if (rest.find_first_of("?# \t") != std::string_view::npos)
    return bad(url, "it ends with the keyspace");
  const std::size_t slash = rest.find('/');
  Address address;
  std::string_view keyspace = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  if (keyspace.ends_with('/')) keyspace.remove_suffix(1);
  if (keyspace.empty()) return bad(url, "the keyspace is missing");
  address.keyspace = keyspace;
  for (char& c : address.keyspace)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (address.keyspace.size() > kMostName || !std::ranges::all_of(address.keyspace, plain))
    return bad(url, "a keyspace has letters, digits and _, at most 48 of them");
  if (address.keyspace == "system" || address.keyspace.starts_with("system_"))
    return bad(url, fmt::format("keyspace {} is Cassandra's own", address.keyspace));
  rest = rest.substr(0, slash);
  std::optional<std::uint16_t> said;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    ASSIGN(auto endpoint, endpoint_of(url, rest.substr(0, comma), said));
    address.hosts.push_back(std::move(endpoint));
    if (more) rest.remove_prefix(comma + 1);
  }
  return address;
}

}  // namespace tailrace::cql_client
