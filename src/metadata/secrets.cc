// Names are compared and values walked as airflow/_shared/secrets_masker does it.
#include "metadata/secrets.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "jinja/json.h"

namespace tailrace::metadata {
namespace {

using jinja::Value;

constexpr std::array kSensitive = std::to_array<std::string_view>(
    {"access_key",    "access_token", "api_key",           "apikey",      "auth_header",
     "authorization", "bearer",       "connection_string", "dsn",         "passphrase",
     "passwd",        "password",     "private_key",       "proxy",       "proxy_password",
     "proxies",       "secret",       "service_account",   "service_key", "token",
     "keyfile_dict",  "webhook_url"});

/// Lower case, what is no letter, digit or underscore as one underscore.
std::string normalised(std::string_view name) {
  std::string out;
  bool gap = false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '_' || byte >= 0x80) {
      out += static_cast<char>(std::tolower(byte));
      gap = false;
    } else {
      if (!gap) out += '_';
      gap = true;
    }
  }
  return out;
}

void walk(const Value& value, bool secret, std::vector<std::string>& found) {
  if (value.dict() != nullptr) {
    for (const auto& [name, part] : value.dict()->items())
      walk(part, name.string() != nullptr && sounds_secret(*name.string()), found);
  } else if (value.list() != nullptr) {
    for (const Value& part : *value.list()) walk(part, secret, found);
  } else if (value.string() != nullptr && secret) {
    found.push_back(*value.string());
  }
}

/// Of a text that may be JSON.
void walk_text(const std::string& text, bool secret, std::vector<std::string>& found) {
  if (secret) found.push_back(text);
  if (const auto value = jinja::load_json(text)) walk(*value, secret, found);
}

}  // namespace

bool sounds_secret(std::string_view name) {
  const std::string low = normalised(name);
  return std::ranges::any_of(kSensitive, [&](std::string_view word) { return low.contains(word); });
}

std::vector<std::string> secrets_in(const Value& value, std::string_view name) {
  std::vector<std::string> found;
  walk(value, name.empty() || sounds_secret(name), found);
  return found;
}

std::vector<std::string> secrets_of(const Connection& connection) {
  std::vector<std::string> found;
  if (connection.password) found.push_back(*connection.password);
  if (!connection.extra) return found;
  found.push_back(*connection.extra);
  walk_text(*connection.extra, false, found);
  return found;
}

std::vector<std::string> secrets_of(std::string_view variable, const std::string& value) {
  std::vector<std::string> found;
  walk_text(value, sounds_secret(variable), found);
  return found;
}

}  // namespace tailrace::metadata
