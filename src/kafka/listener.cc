#include "kafka/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "auth/jaas.h"
#include "auth/oauth_bearer.h"
#include "kafka/broker_config.h"
#include "kafka/tls_settings.h"
#include "kafka/token_checks.h"
#include "net/address.h"

namespace tailrace::kafka {
namespace {

/// A listener of all addresses is reached by this machine's clients at the loopback one.
std::string reachable(const std::string& host) {
  return host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host;
}

Status add_tls(const Settings& settings, Listener& listener) {
  ASSIGN(const auto tls, tls_server_config(settings, listener.protocol.starts_with("SASL")));
  auto made = net::Tls::server(tls);
  if (!made) return unusable("ssl.keystore and ssl.truststore", made.error().what);
  listener.tls = std::move(*made);
  auto rules = auth::PrincipalRules::parse(settings.get("ssl.principal.mapping.rules"));
  if (!rules) return unusable("ssl.principal.mapping.rules", rules.error().what);
  listener.rules = std::make_shared<const auth::PrincipalRules>(std::move(*rules));
  return {};
}

/// user_NAME="PASSWORD" of PlainLoginModule.
Status add_plain_users(const Settings& settings, SaslConfig& sasl) {
  std::string name = "plain.sasl.jaas.config";
  if (!settings.has(name)) name = "sasl.jaas.config";
  if (!settings.has(name)) {
    return unusable(name, "is missing, with user_NAME=\"PASSWORD\" of PlainLoginModule");
  }
  const auto module = auth::parse_jaas(settings.get(name));
  if (!module) return unusable(name, module.error().what);
  for (const auto& [option, value] : module->options) {
    if (option.starts_with("user_")) sasl.plain_users[option.substr(5)] = value;
  }
  return {};
}

Status add_sasl(const Settings& settings, Listener& listener) {
  const std::string kMechanisms = "sasl.enabled.mechanisms";
  auto sasl = std::make_shared<SaslConfig>();
  sasl->mechanisms = settings.list(kMechanisms);
  for (const auto& mechanism : sasl->mechanisms) {
    if (mechanism == "PLAIN") {
      TRY(add_plain_users(settings, *sasl));
    } else if (mechanism == auth::kOAuthBearer) {
      ASSIGN(sasl->tokens, token_checker(settings));
    } else if (!auth::scram_mechanism(mechanism)) {
      return unusable(kMechanisms, mechanism +
                                       " is not served; PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and "
                                       "OAUTHBEARER are");
    }
  }
  if (sasl->mechanisms.empty()) return unusable(kMechanisms, "is empty");
  sasl->max_reauth_ms = settings.number("connections.max.reauth.ms");
  sasl->max_receive_bytes =
      static_cast<std::size_t>(settings.number("sasl.server.max.receive.size"));
  listener.sasl = std::move(sasl);
  return {};
}

/// NAME://HOST:PORT; no host is every address.
Result<Listener> parse_listener(const std::string& text, const std::string& setting) {
  const auto slashes = text.find("://");
  auto rest = slashes == std::string::npos ? std::string() : text.substr(slashes + 3);
  if (rest.starts_with(':')) rest = "0.0.0.0" + rest;
  auto at = parse_address(rest);
  if (!at || slashes == 0) {
    return unusable(setting, fmt::format("'{}' is not NAME://HOST:PORT", text));
  }
  Listener listener;
  listener.name = text.substr(0, slashes);
  listener.at = *at;
  return listener;
}

Result<std::map<std::string, std::string>> protocol_map(const Settings& settings) {
  const std::string kMap = "listener.security.protocol.map";
  constexpr std::array<std::string_view, 4> kKnown = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT",
                                                      "SASL_SSL"};
  std::map<std::string, std::string> map;
  for (const auto& one : settings.list(kMap)) {
    const auto colon = one.find(':');
    const auto protocol = colon == std::string::npos ? "" : one.substr(colon + 1);
    if (std::ranges::find(kKnown, protocol) == kKnown.end()) {
      return unusable(kMap, fmt::format("'{}' is not NAME:PROTOCOL", one));
    }
    map[one.substr(0, colon)] = protocol;
  }
  return map;
}

/// The listeners of a setting that are not the controller's, by name.
Result<std::vector<Listener>> listed(const Settings& settings, const std::string& setting) {
  const auto controllers = settings.list("controller.listener.names");
  std::vector<Listener> all;
  std::set<std::string> names;
  for (const auto& one : settings.list(setting)) {
    ASSIGN(auto listener, parse_listener(one, setting));
    if (std::ranges::find(controllers, listener.name) != controllers.end()) continue;
    if (!names.insert(listener.name).second) {
      return unusable(setting, fmt::format("{} is named twice", listener.name));
    }
    all.push_back(std::move(listener));
  }
  return all;
}

Status secure(const BrokerConfig& config, const std::map<std::string, std::string>& protocols,
              Listener& listener) {
  const auto found = protocols.find(listener.name);
  if (found == protocols.end()) {
    return unusable("listener.security.protocol.map", "it does not name " + listener.name);
  }
  listener.protocol = found->second;
  const Settings settings(config.started, listener_prefix(listener.name));
  const std::chrono::milliseconds delay(
      settings.number("connection.failed.authentication.delay.ms"));
  listener.failed_login_delay = delay;
  const std::string kRate = "max.connection.creation.rate";
  if (!settings.own(kRate).empty()) listener.connections_a_second = settings.number(kRate);
  const auto in = [&](const Status& done) -> Status {
    if (done) return {};
    return std::unexpected(done.error().in("listener " + listener.name));
  };
  if (listener.protocol.ends_with("SSL")) TRY(in(add_tls(settings, listener)));
  if (listener.protocol.starts_with("SASL")) TRY(in(add_sasl(settings, listener)));
  return {};
}

}  // namespace

std::string Listener::text(const Endpoint& endpoint) const {
  return fmt::format("{}://{}", name, net::address_text(endpoint.host, endpoint.port));
}

Result<Endpoint> parse_address(std::string_view address) {
  auto at = net::parse_address(address);
  if (!at || at->host.empty())
    return error(Code::kInvalidArgument, fmt::format("'{}' is not HOST:PORT", address));
  return Endpoint{.host = std::move(at->host), .port = at->port};
}

Result<std::vector<Listener>> listeners_of(const BrokerConfig& config) {
  const Settings settings(config.started);
  ASSIGN(auto advertised, listed(settings, "advertised.listeners"));
  std::vector<Listener> all;
  if (config.by_listeners) {
    ASSIGN(all, listed(settings, "listeners"));
  } else {
    auto& only = all.emplace_back();
    ASSIGN(only.at, parse_address(config.listen));
    only.flag = config.flag;
    if (advertised.size() == 1) advertised[0].name = only.name;
  }
  if (all.empty()) return unusable("listeners", "none is for clients");
  ASSIGN(const auto protocols, protocol_map(settings));
  for (auto& listener : all) {
    listener.advertised = {reachable(listener.at.host), listener.at.port};
    const auto told = std::ranges::find(advertised, listener.name, &Listener::name);
    if (told != advertised.end()) listener.advertised = told->at;
    if (config.by_listeners) TRY(secure(config, protocols, listener));
  }
  return all;
}

}  // namespace tailrace::kafka
