#include "airflow/logins.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "airflow/call.h"
#include "airflow/door.h"
#include "auth/digest.h"

namespace tailrace::airflow {
namespace {

constexpr std::int64_t kLifetime = 86'400;  // seconds, as [api_auth] jwt_expiration_time
constexpr std::size_t kLongestName = 1000;

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0 || text.size() > 2 * kLongestName) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const auto [end, failed] = std::from_chars(&text[i], &text[i] + 2, value, 16);
    if (failed != std::errc() || end != &text[i] + 2) return std::nullopt;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

net::Response json_response(int status, const Json& json) {
  return {.status = status, .content_type = "application/json", .headers = {}, .body = dump(json)};
}

bool is_open(const net::Request& request) {
  return request.path == "/api/v2/version" || request.path == "/api/v2/monitor/health";
}

std::string_view bearer(const net::Request& request) {
  constexpr std::string_view kScheme = "bearer ";
  std::string_view header = request.header("authorization");
  if (header.size() <= kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(header[i])) != kScheme[i]) return {};
  }
  return header.substr(kScheme.size());
}

}  // namespace

Logins::Logins(std::shared_ptr<const auth::Passwords> users)
    : users_(std::move(users)), secret_(auth::random_bytes(64)) {}

std::optional<net::Response> Logins::answer(const net::Request& request) const {
  const bool token = request.path == "/auth/token" || request.path == "/auth/token/cli";
  if (token && request.method == "POST") return log_in(request);
  if (token && request.method == "GET" && request.path == "/auth/token") {
    if (users_)
      return refusal(403,
                     "This method is only allowed if ``[core] simple_auth_manager_all_admins`` is "
                     "True");
    return json_response(201, {{"access_token", this->token("Anonymous")}});
  }
  if (!users_ || is_open(request)) return std::nullopt;
  if (bearer(request).empty()) {
    auto refused = refusal(401, "Not authenticated");
    refused.headers.emplace_back("WWW-Authenticate", "Bearer");
    return refused;
  }
  if (!owner(bearer(request))) return refusal(403, "Invalid JWT token");
  return std::nullopt;
}

std::string Logins::user_of(const net::Request& request) const {
  return users_ ? owner(bearer(request)).value_or("") : std::string();
}

net::Response Logins::log_in(const net::Request& request) const {
  const auto refused = [](const Refusal& why) {
    return json_response(why.status, {{"detail", why.detail}});
  };
  auto body = Body::of(request);
  if (!body) return refused(body.error());
  body->required("username");
  body->required("password");
  const std::string user = body->text("username", kLongestName).value_or("");
  const std::string password = body->text("password", kLongestName).value_or("");
  if (const auto good = body->check(); !good) {
    // What is wrong is said without what was sent: it may be a password.
    Json faults = good.error().detail;
    for (auto& fault : faults) fault["input"] = nullptr;
    return json_response(422, {{"detail", faults}});
  }
  if (!users_) return json_response(201, {{"access_token", token("Anonymous")}});
  if (user.empty() || password.empty())
    return refusal(400, "Username and password must be provided");
  if (!users_->is_right(user, password)) return refusal(401, "Invalid credentials");
  return json_response(201, {{"access_token", token(user)}});
}

std::string Logins::signature(std::string_view text) const {
  return hex(auth::hmac_sha512(secret_, text).substr(0, 32));
}

std::string Logins::token(const std::string& user) const {
  const std::string text = fmt::format("{}.{}", hex(user), now() + kLifetime);
  return text + "." + signature(text);
}

std::optional<std::string> Logins::owner(std::string_view token) const {
  const auto last = token.rfind('.');
  if (last == std::string_view::npos) return std::nullopt;
  const std::string_view text = token.substr(0, last);
  if (!auth::same_secret(signature(text), token.substr(last + 1))) return std::nullopt;
  const auto middle = text.find('.');
  if (middle == std::string_view::npos) return std::nullopt;
  const std::string_view until = text.substr(middle + 1);
  std::int64_t end = 0;
  std::from_chars(until.data(), until.data() + until.size(), end);
  if (end < now()) return std::nullopt;
  return from_hex(text.substr(0, middle));
}

}  // namespace tailrace::airflow
