#include "auth/oauth_bearer.h"

#include <algorithm>

#include "base/json_string.h"

namespace tailrace::auth {
namespace {

constexpr char kEnd = '\x01';

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A saslname: no comma, and = only of =2C and =3D.
bool is_name(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '=') {
      const auto escape = text.substr(i, 3);
      if (escape != "=2C" && escape != "=3D") return false;
      i += 2;
    } else if (text[i] == ',' || text[i] == '\0' || static_cast<unsigned char>(text[i]) > 0x7f) {
      return false;
    }
  }
  return !text.empty();
}

bool is_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_letter);
}

bool is_value(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 0x21 && c <= 0x7e) || c == ' ' || c == '\t' || c == '\r' || c == '\n';
  };
  return !text.empty() && std::ranges::all_of(text, good);
}

/// The token of "Bearer TOKEN"; empty when it is not that.
std::string_view token_of(std::string_view auth) {
  constexpr std::string_view kScheme = "bearer";
  const auto same = [](char one, char other) { return (one | 0x20) == other; };
  if (!std::ranges::equal(auth.substr(0, kScheme.size()), kScheme, same)) return {};
  auto token = auth.substr(kScheme.size());
  const auto begin = token.find_first_not_of(' ');
  if (begin == 0 || begin == std::string_view::npos) return {};
  token.remove_prefix(begin);
  const auto padding = std::min(token.find('='), token.size());
  const auto good = [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("-_~+/.").contains(c);
  };
  const bool fits = padding > 0 && std::ranges::all_of(token.substr(0, padding), good) &&
                    token.find_first_not_of('=', padding) == std::string_view::npos;
  return fits ? token : std::string_view();
}

}  // namespace

std::optional<BearerMessage> parse_bearer_message(std::string_view bytes) {
  if (!bytes.starts_with("n,")) return std::nullopt;
  bytes.remove_prefix(2);
  const auto comma = bytes.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  BearerMessage message;
  if (const auto as = bytes.substr(0, comma); !as.empty()) {
    if (!as.starts_with("a=") || !is_name(as.substr(2))) return std::nullopt;
    message.authorize_as = as.substr(2);
  }
  bytes.remove_prefix(comma + 1);
  if (bytes.size() < 2 || bytes.front() != kEnd || bytes.back() != kEnd) return std::nullopt;
  bytes = bytes.substr(1, bytes.size() - 2);
  while (!bytes.empty()) {
    const auto end = bytes.find(kEnd);
    const auto equals = bytes.find('=');
    if (end == std::string_view::npos || equals >= end) return std::nullopt;
    const auto key = bytes.substr(0, equals);
    const auto value = bytes.substr(equals + 1, end - equals - 1);
    if (!is_key(key) || !is_value(value)) return std::nullopt;
    message.extensions[std::string(key)] = value;
    bytes.remove_prefix(end + 1);
  }
  const auto auth = message.extensions.extract("auth");
  if (auth.empty()) return std::nullopt;
  message.token = token_of(auth.mapped());
  if (message.token.empty()) return std::nullopt;
  return message;
}

std::string bearer_message(const BearerMessage& message) {
  std::string text = "n,";
  if (!message.authorize_as.empty()) text += "a=" + message.authorize_as;
  text += ",\x01";
  text += "auth=Bearer " + message.token + kEnd;
  for (const auto& [name, value] : message.extensions) text += name + '=' + value + kEnd;
  return text + kEnd;
}

std::string bearer_refusal(std::string_view status, std::string_view scope) {
  std::string text = "{\"status\":" + json_string(status);
  if (!scope.empty()) text += ", \"scope\":" + json_string(scope);
  return text + '}';
}

}  // namespace tailrace::auth
