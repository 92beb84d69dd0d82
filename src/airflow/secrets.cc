#include "airflow/secrets.h"

#include <algorithm>
#include <array>

namespace tailrace::airflow {
namespace {

constexpr const char* kStars = "***";
constexpr std::array kSensitive = std::to_array<std::string_view>(
    {"access_key",    "access_token", "api_key",           "apikey",      "auth_header",
     "authorization", "bearer",       "connection_string", "dsn",         "passphrase",
     "passwd",        "password",     "private_key",       "proxy",       "proxy_password",
     "proxies",       "secret",       "service_account",   "service_key", "token",
     "keyfile_dict",  "webhook_url"});

}  // namespace

bool sounds_secret(std::string_view name) {
  std::string low(name);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::any_of(kSensitive, [&](std::string_view word) { return low.contains(word); });
}

Json redacted(Json value, std::string_view name) {
  const bool secret = sounds_secret(name);
  if (value.is_object()) {
    for (auto& [key, member] : value.items())
      member = redacted(std::move(member), secret ? name : std::string_view(key));
  } else if (value.is_array()) {
    for (auto& item : value) item = redacted(std::move(item), name);
  } else if (secret && !value.is_null()) {
    return kStars;
  }
  return value;
}

std::string redacted_text(const std::string& text, std::string_view name) {
  const Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) return sounds_secret(name) ? kStars : text;
  return python_dump(redacted(value, name));
}

}  // namespace tailrace::airflow
