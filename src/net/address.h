// HOST:PORT, as options and settings write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::net {

struct Address {
  std::string host;  ///< an IPv6 address without its brackets
  std::uint16_t port = 0;
};

/// What stands before and behind the last colon; absent when that is no port of 0 to 65535, or an
/// IPv6 address has no brackets. The host may be empty: what that means is the caller's.
std::optional<Address> parse_address(std::string_view text);
/// "127.0.0.1:9092", "[::1]:9092"
std::string address_text(std::string_view host, int port);

}  // namespace tailrace::net
