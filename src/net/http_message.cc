// Percent decoding, targets, and the Host and Origin checks.
#include "net/http_message.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tailrace::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool is_address(const std::string& host) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

Result<std::multimap<std::string, std::string>> parse_query(std::string_view text) {
  std::multimap<std::string, std::string> query;
  while (!text.empty()) {
    auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    auto equals = pair.find('=');
    ASSIGN(auto name, percent_decode(pair.substr(0, equals), true));
    std::string value;
    if (equals != pair.npos) {
      ASSIGN(value, percent_decode(pair.substr(equals + 1), true));
    }
    query.emplace(std::move(name), std::move(value));
  }
  return query;
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) return error(Code::kInvalidArgument, "malformed % escape in the URL");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (c == '\0') return error(Code::kInvalidArgument, "NUL byte in the URL");
    out.push_back(c);
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    const bool plain = std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return out;
}

Result<Target> parse_target(std::string_view target) {
  if (!target.starts_with('/')) {
    return error(Code::kInvalidArgument, "the request target must start with /");
  }
  target = target.substr(0, target.find('#'));
  auto mark = target.find('?');
  auto raw_path = target.substr(0, mark);
  Target out;
  ASSIGN(out.path, percent_decode(raw_path, false));
  for (auto rest = raw_path.substr(1);;) {
    auto slash = rest.find('/');
    ASSIGN(auto segment, percent_decode(rest.substr(0, slash), false));
    out.segments.push_back(std::move(segment));
    if (slash == rest.npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (mark != target.npos) {
    ASSIGN(out.query, parse_query(target.substr(mark + 1)));
  }
  return out;
}

std::string host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    auto end = authority.find(']');
    if (end == authority.npos) return "";
    return lower(authority.substr(1, end - 1));
  }
  auto host = lower(authority.substr(0, authority.find(':')));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool host_allowed(std::string_view authority, const std::vector<std::string>& allowed) {
  auto host = host_of(authority);
  if (host.empty()) return false;
  if (host == "localhost" || host.ends_with(".localhost") || is_address(host)) return true;
  return std::ranges::any_of(allowed, [&](const auto& name) { return lower(name) == host; });
}

bool same_origin(std::string_view host, std::string_view origin, std::string_view fetch_site) {
  if (!fetch_site.empty() && fetch_site != "same-origin" && fetch_site != "none") return false;
  if (origin.empty()) return true;
  for (std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return lower(origin.substr(scheme.size())) == lower(host);
  }
  return false;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

}  // namespace tailrace::net
