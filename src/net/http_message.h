// What a request line and headers mean, and which requests a loopback server may trust: pure
// functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::net {

struct Target {
  std::string path;
  std::vector<std::string> segments;
  std::multimap<std::string, std::string> query;
};

/// Splits and decodes an origin-form target (RFC 9112 §3.2.1); kInvalidArgument for bad escapes and
/// NUL bytes.
Result<Target> parse_target(std::string_view target);

/// Decodes %XX, and "+" as a blank when `plus_is_blank`.
Result<std::string> percent_decode(std::string_view text, bool plus_is_blank);

/// RFC 3986: all but unreserved characters as %XX.
std::string percent_encode(std::string_view text);

/// The host of a Host header or an authority, without port and brackets, in lower case; "" when
/// malformed.
std::string host_of(std::string_view authority);

/// Whether a browser that names this Host can be trusted to have reached us on purpose. Addresses
/// cannot be rebound by DNS; names can, so only localhost and `allowed` names pass.
bool host_allowed(std::string_view authority, const std::vector<std::string>& allowed);

/// Whether a request that changes something comes from our own page or from no page at all (curl,
/// scripts). `origin` and `fetch_site` are the headers Origin and Sec-Fetch-Site, "" when absent.
bool same_origin(std::string_view host, std::string_view origin, std::string_view fetch_site);

std::string_view reason_phrase(int status);

}  // namespace tailrace::net
