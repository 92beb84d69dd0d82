#include "kafka_log/token_grant.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tailrace::kafka_log {
namespace {

constexpr std::string_view kPrefix = "sasl.oauthbearer.";
constexpr std::string_view kNames[] = {
    "method", "token.endpoint.url",           "client.id",  "client.secret",
    "scope",  "client.credentials.client.id", "extensions", "client.credentials.client.secret"};
constexpr std::string_view kTrusted = "https.ca.location";

}  // namespace

bool TokenGrant::owns(std::string_view name) {
  if (name == kTrusted) return true;
  return name.starts_with(kPrefix) &&
         std::ranges::find(kNames, name.substr(kPrefix.size())) != std::end(kNames);
}

Result<std::optional<TokenGrant>> TokenGrant::of(
    const std::map<std::string, std::string>& settings) {
  const auto get = [&](std::string_view name) {
    const auto found = settings.find(std::string(kPrefix).append(name));
    return found == settings.end() ? std::string() : found->second;
  };
  const auto either = [&](std::string_view name, std::string_view newer) {
    const auto value = get(name);
    return value.empty() ? get(newer) : value;
  };
  TokenGrant grant;
  auto& credentials = grant.credentials_;
  credentials.token_url = get("token.endpoint.url");
  credentials.client_id = either("client.id", "client.credentials.client.id");
  credentials.client_secret = either("client.secret", "client.credentials.client.secret");
  credentials.scope = get("scope");
  if (const auto trusted = settings.find(std::string(kTrusted)); trusted != settings.end()) {
    credentials.ca_file = trusted->second;
  }
  const auto method = get("method");
  if (!method.empty() && method != "oidc" && method != "default") {
    return error(Code::kInvalidArgument,
                 fmt::format("`{}method`: oidc or default is expected", kPrefix));
  }
  const bool wanted = method == "oidc" || !credentials.token_url.empty() ||
                      !credentials.client_id.empty() || !credentials.client_secret.empty();
  if (!wanted) return std::nullopt;
  const std::array<std::pair<std::string_view, const std::string*>, 3> needed = {
      {{"token.endpoint.url", &credentials.token_url},
       {"client.id", &credentials.client_id},
       {"client.secret", &credentials.client_secret}}};
  for (const auto& [name, value] : needed) {
    if (value->empty())
      return error(Code::kInvalidArgument, fmt::format("`{}{}` is missing", kPrefix, name));
  }
  const auto& url = credentials.token_url;
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    return error(Code::kInvalidArgument,
                 fmt::format("`{}token.endpoint.url` is no http or https URL", kPrefix));
  }
  std::string_view rest;
  const auto extensions = get("extensions");
  for (rest = extensions; !rest.empty();) {
    const auto one = rest.substr(0, rest.find(','));
    const auto equals = one.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return error(Code::kInvalidArgument,
                   fmt::format("`{}extensions`: NAME=VALUE,… is expected", kPrefix));
    }
    grant.extensions_.emplace_back(one.substr(0, equals), one.substr(equals + 1));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
  }
  return grant;
}

void TokenGrant::refresh(rd_kafka_t& client) const {
  const auto token = auth::fetch_access_token(credentials_);
  if (!token) {
    rd_kafka_oauthbearer_set_token_failure(&client, token.error().what.c_str());
    return;
  }
  std::vector<const char*> extensions;
  for (const auto& [name, value] : extensions_) {
    extensions.push_back(name.c_str());
    extensions.push_back(value.c_str());
  }
  std::array<char, 512> why{};
  if (rd_kafka_oauthbearer_set_token(&client, token->text.c_str(), token->expires_ms,
                                     token->subject.c_str(), extensions.data(), extensions.size(),
                                     why.data(), why.size()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_oauthbearer_set_token_failure(&client, why.data());
  }
}

}  // namespace tailrace::kafka_log
