#include "auth/token_json.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/base64.h"

namespace tailrace::auth {
namespace {

/// Deeper ones are no token's.
constexpr int kDeepest = 32;

}  // namespace

std::optional<nlohmann::json> strict_object(std::string_view text) {
  using Event = nlohmann::json::parse_event_t;
  bool clean = true;
  std::vector<std::set<std::string>> names;
  const auto look = [&](int depth, Event event, nlohmann::json& value) {
    if (depth > kDeepest) clean = false;
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end && !names.empty()) names.pop_back();
    if (event == Event::key && !names.back().insert(value.get<std::string>()).second) clean = false;
    return clean;
  };
  auto json = nlohmann::json::parse(text, look, false);
  if (!clean || !json.is_object()) return std::nullopt;
  return json;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string usual(text);
  for (char& c : usual) {
    if (c == '+' || c == '/' || c == '=' || c == '\r' || c == '\n') return std::nullopt;
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  return decode_base64(usual);
}

std::optional<std::array<std::string_view, 3>> token_parts(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return std::array{token.substr(0, first), token.substr(first + 1, second - first - 1),
                    token.substr(second + 1)};
}

std::optional<nlohmann::json> token_object(std::string_view part) {
  const auto bytes = from_base64url(part);
  return bytes ? strict_object(*bytes) : std::nullopt;
}

std::string trimmed(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

const nlohmann::json* member(const nlohmann::json& object, const std::string& name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_member(const nlohmann::json& object, const std::string& name) {
  const auto* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace tailrace::auth
