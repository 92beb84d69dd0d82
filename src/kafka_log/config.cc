#include "kafka_log/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "kafka_log/client.h"
#include "net/address.h"

namespace tailrace::kafka_log {
namespace {

constexpr std::string_view kScheme = "kafka://";
constexpr std::string_view kDefaultPort = ":9092";
/// Shorter values would blank half of every message.
constexpr std::size_t kLeastSecretBytes = 3;

Result<std::string> broker_of(const std::string& url, std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return error(Code::kInvalidArgument, fmt::format("{}: {}; write kafka://HOST:PORT", url, why));
  };
  if (text.find('@') != std::string_view::npos)
    return error(Code::kInvalidArgument,
                 "a kafka:// URL has no user in it: write sasl.username and sasl.password under "
                 "`properties`");
  if (text.find_first_of("/?# \t") != std::string_view::npos) return bad("it ends with the port");
  std::string whole(text);
  // Without a port it ends with a name or with a bracket.
  const std::size_t bracket = text.rfind(']');
  if (text.find(':', bracket == std::string_view::npos ? 0 : bracket) == std::string_view::npos)
    whole += kDefaultPort;
  const auto address = net::parse_address(whole);
  if (address && address->host.empty()) return bad("a host is missing");
  if (!address && text.find(':') != text.rfind(':') && !text.starts_with('['))
    return bad("an IPv6 address stands in brackets");
  if (!address || address->port == 0) return bad("a port is 1 to 65535");
  return net::address_text(address->host, address->port);
}

bool is_secret_name(std::string_view name) {
  if (name.ends_with(".url")) return false;
  for (const std::string_view word : {"password", "secret", "token", "pem", "oauthbearer.config"})
    if (name.find(word) != std::string_view::npos) return true;
  return false;
}

}  // namespace

bool is_kafka_url(std::string_view text) {
  return text.starts_with(kScheme);
}

Result<std::string> brokers_of(const KafkaLogConfig& config) {
  if (!is_kafka_url(config.url))
    return error(Code::kInvalidArgument, "a Kafka is named by kafka://HOST:PORT");
  std::string all;
  std::string_view rest = std::string_view(config.url).substr(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    ASSIGN(const std::string broker, broker_of(config.url, rest.substr(0, comma)));
    all += (all.empty() ? "" : ",") + broker;
    if (more) rest.remove_prefix(comma + 1);
  }
  return all;
}

std::string without_secrets(const KafkaLogConfig& config, std::string text) {
  std::vector<std::string_view> secrets(config.secrets.begin(), config.secrets.end());
  for (const auto& [name, value] : config.properties)
    if (is_secret_name(name)) secrets.push_back(value);
  std::ranges::sort(secrets, std::greater{}, &std::string_view::size);
  for (const std::string_view secret : secrets) {
    if (secret.size() < kLeastSecretBytes || config.url.find(secret) != std::string::npos) continue;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
      text.replace(at, secret.size(), "***");
  }
  return text;
}

Status check_config(const KafkaLogConfig& config) {
  TRY(brokers_of(config));
  for (const ClientKind kind : {ClientKind::kReader, ClientKind::kWriter})
    if (auto settings = client_settings(config, kind); !settings)
      return std::unexpected(settings.error());
  return {};
}

}  // namespace tailrace::kafka_log
