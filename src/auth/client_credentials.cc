#include "auth/client_credentials.h"

#include <fmt/format.h>

#include "auth/oauth_bearer.h"
#include "auth/token_json.h"
#include "base/base64.h"
#include "net/http_client.h"
#include "net/http_message.h"
#include "rt/clock.h"

namespace tailrace::auth {
namespace {

using nlohmann::json;

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::int64_t kUsualLifetimeMs = 300'000;
constexpr double kMostSeconds = 1e12;

std::optional<std::int64_t> ms_of(const json* seconds) {
  if (seconds == nullptr || !seconds->is_number()) return std::nullopt;
  const double value = seconds->get<double>();
  if (!(value > 0 && value < kMostSeconds)) return std::nullopt;
  return static_cast<std::int64_t>(value * 1000);
}

/// What the provider says of a refusal (RFC 6749 §5.2).
std::string reason_of(const net::HttpResponse& answer) {
  const auto body = strict_object(answer.body);
  auto reason = body ? text_member(*body, "error") : std::string();
  const auto more = body ? text_member(*body, "error_description") : std::string();
  if (!more.empty()) reason += (reason.empty() ? "" : ": ") + more;
  return fmt::format("{} answers {}{}", answer.url, answer.status,
                     reason.empty() ? "" : " (" + reason.substr(0, 200) + ")");
}

/// The token's own claims count; of one that is not a JSON Web Token the answer's.
AccessToken token_of(const json& body, std::string text, const std::string& client_id) {
  const auto now = rt::system_clock().now().value;
  AccessToken token{
      .text = std::move(text),
      .expires_ms = now + ms_of(member(body, "expires_in")).value_or(kUsualLifetimeMs),
      .subject = client_id};
  const auto parts = token_parts(token.text);
  const auto claims = parts ? token_object((*parts)[1]) : std::nullopt;
  if (!claims) return token;
  if (const auto expires = ms_of(member(*claims, "exp"))) token.expires_ms = *expires;
  if (auto subject = text_member(*claims, "sub"); !subject.empty())
    token.subject = std::move(subject);
  return token;
}

}  // namespace

Result<AccessToken> fetch_access_token(const ClientCredentials& credentials, std::stop_token stop) {
  net::HttpOptions options;
  const auto pair = credentials.client_id + ":" + credentials.client_secret;
  options.headers = {{"Authorization", "Basic " + encode_base64(pair)},
                     {"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  options.max_body_bytes = kMostBytes;
  options.follow_redirects = false;
  options.ca_file = credentials.ca_file;
  options.stop = std::move(stop);
  std::string form = "grant_type=client_credentials";
  if (!credentials.scope.empty()) form += "&scope=" + net::percent_encode(credentials.scope);
  net::HttpClient http;
  ASSIGN(const auto answer, http.post(credentials.token_url, form, options));
  if (answer.status == 400 || answer.status == 401 || answer.status == 403) {
    return error(Code::kPermissionDenied,
                 reason_of(answer) + ": are the client's id, secret and scope right?");
  }
  if (answer.status != 200) return error(Code::kUnavailable, reason_of(answer));
  const auto body = strict_object(answer.body);
  auto text = body ? text_member(*body, "access_token") : std::string();
  if (body && text.empty()) text = text_member(*body, "id_token");
  if (text.empty()) {
    return error(Code::kUnavailable, answer.url + " answers without an access_token");
  }
  // What could not be sent as such would end in the middle of a message.
  if (const auto sent = parse_bearer_message(
          bearer_message({.authorize_as = {}, .token = text, .extensions = {}}));
      !sent) {
    return error(Code::kUnavailable, answer.url + " answers with a token that is none");
  }
  return token_of(*body, std::move(text), credentials.client_id);
}

}  // namespace tailrace::auth
