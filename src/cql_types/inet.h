// Internet addresses as text, as Java's InetAddress reads and writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tailrace::cql_types {

/// 4 or 16 bytes of a numeric address: "10.0.0.1" (or of fewer parts, "10.1"), "::1", "[::1]",
/// "fe80::1%eth0" without its zone; an IPv4 address within IPv6 becomes its 4 bytes.
std::optional<std::string> parse_inet(std::string_view text);

/// Of 4 or 16 bytes: "10.0.0.1", "0:0:0:0:0:0:0:1".
std::string inet_text(std::string_view bytes);

}  // namespace tailrace::cql_types
