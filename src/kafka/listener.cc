#include "kafka/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "auth/jaas.h"
#include "kafka/broker_config.h"
#include "rt/file.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kMostFileBytes = 16 << 20;

std::string small(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// A listener of all addresses is reached by this machine's clients at the loopback one.
std::string reachable(const std::string& host) {
  return host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host;
}

/// The settings as one listener sees them.
class Settings {
 public:
  Settings(const BrokerConfig& config, const std::string& listener)
      : config_(config), prefix_(fmt::format("listener.name.{}.", small(listener))) {}

  /// What was set, for the listener or for all; else Kafka's default; empty when there is none.
  std::string get(const std::string& name) const {
    for (const auto& key : {prefix_ + name, name}) {
      if (const auto found = config_.started.find(key); found != config_.started.end()) {
        return found->second;
      }
    }
    const auto* info = find_config(ConfigKind::kBroker, name);
    return info != nullptr && info->default_value ? std::string(*info->default_value)
                                                  : std::string();
  }
  /// Set for this listener only; empty otherwise.
  std::string own(const std::string& name) const {
    const auto found = config_.started.find(prefix_ + name);
    return found == config_.started.end() ? std::string() : found->second;
  }
  bool has(const std::string& name) const {
    return config_.started.contains(prefix_ + name) || config_.started.contains(name);
  }
  std::int64_t number(const std::string& name) const {
    const auto text = get(name);
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  std::vector<std::string> list(const std::string& name) const { return config_list(get(name)); }

 private:
  const BrokerConfig& config_;
  const std::string prefix_;
};

std::unexpected<Error> unusable(const std::string& name, std::string_view why) {
  return error(Code::kInvalidArgument, fmt::format("{}: {}", name, why));
}

/// A property of several lines may have them written as \n, as in server.properties.
std::string inline_pem(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool line = text[i] == '\\' && i + 1 < text.size() && text[i + 1] == 'n';
    out += line ? '\n' : text[i];
    i += line ? 1 : 0;
  }
  // In one line BEGIN and END may stand beside the base64 of the whole.
  for (const auto* mark : {"-----BEGIN ", "-----END "}) {
    for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + 1)) {
      if (at > 0 && out[at - 1] != '\n') out.insert(at++, 1, '\n');
      const auto end = out.find("-----", at + std::string_view(mark).size());
      if (end != std::string::npos && end + 5 < out.size() && out[end + 5] != '\n') {
        out.insert(end + 5, 1, '\n');
      }
    }
  }
  return out;
}

Result<std::string> file_of(const std::string& setting, const std::string& path) {
  auto text = rt::read_whole(rt::posix_files(), path, kMostFileBytes);
  if (!text) return unusable(setting, text.error().what);
  return *text;
}

/// The certificate and its key: inline, a PEM file with both, or PKCS#12.
Result<net::TlsIdentity> identity_of(const Settings& settings) {
  net::TlsIdentity identity;
  identity.key_password = settings.get("ssl.key.password");
  if (settings.has("ssl.keystore.certificate.chain")) {
    identity.certificates = inline_pem(settings.get("ssl.keystore.certificate.chain"));
    identity.key = inline_pem(settings.get("ssl.keystore.key"));
    return identity;
  }
  const std::string kLocation = "ssl.keystore.location";
  const auto path = settings.get(kLocation);
  if (path.empty()) {
    return unusable(kLocation,
                    "is missing, or ssl.keystore.certificate.chain with ssl.keystore.key");
  }
  ASSIGN(const auto bytes, file_of(kLocation, path));
  if (settings.get("ssl.keystore.type") == "PEM" || bytes.starts_with("-----BEGIN")) {
    identity.certificates = identity.key = bytes;
    return identity;
  }
  auto store = net::read_pkcs12(bytes, settings.get("ssl.keystore.password"));
  if (!store) return unusable(kLocation, store.error().what);
  return store->identity;
}

Result<std::string> trusted_of(const Settings& settings) {
  if (settings.has("ssl.truststore.certificates")) {
    return inline_pem(settings.get("ssl.truststore.certificates"));
  }
  const std::string kLocation = "ssl.truststore.location";
  const auto path = settings.get(kLocation);
  if (path.empty()) return std::string();
  ASSIGN(const auto bytes, file_of(kLocation, path));
  if (settings.get("ssl.truststore.type") == "PEM" || bytes.starts_with("-----BEGIN")) return bytes;
  auto store = net::read_pkcs12(bytes, settings.get("ssl.truststore.password"));
  if (!store) return unusable(kLocation, store.error().what);
  return store->trusted + store->identity.certificates;
}

/// With SASL the name comes from there: only what this very listener says of certificates counts.
Result<net::ClientCertificates> client_auth_of(const Settings& settings, bool sasl) {
  const std::string kName = "ssl.client.auth";
  const auto word = sasl ? settings.own(kName) : settings.get(kName);
  if (word.empty()) return net::ClientCertificates::kIgnored;
  if (word == "required") return net::ClientCertificates::kRequired;
  if (word == "requested") return net::ClientCertificates::kWanted;
  if (word == "none") return net::ClientCertificates::kIgnored;
  return unusable(kName, "required, requested or none is expected");
}

Status add_tls(const Settings& settings, Listener& listener) {
  net::TlsServerConfig tls;
  ASSIGN(tls.identity, identity_of(settings));
  ASSIGN(tls.trusted, trusted_of(settings));
  ASSIGN(tls.clients, client_auth_of(settings, listener.protocol.starts_with("SASL")));
  tls.options.protocols = settings.list("ssl.enabled.protocols");
  tls.options.ciphers = settings.list("ssl.cipher.suites");
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
    if (mechanism != "PLAIN" && !auth::scram_mechanism(mechanism)) {
      return unusable(kMechanisms, mechanism +
                                       " is not served; PLAIN, SCRAM-SHA-256 and "
                                       "SCRAM-SHA-512 are");
    }
    if (mechanism == "PLAIN") TRY(add_plain_users(settings, *sasl));
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
  const Settings settings(config, listener.name);
  const std::chrono::milliseconds delay(
      settings.number("connection.failed.authentication.delay.ms"));
  listener.failed_login_delay = delay;
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
  return fmt::format("{}://{}:{}", name, endpoint.host, endpoint.port);
}

Result<Endpoint> parse_address(std::string_view address) {
  const auto colon = address.rfind(':');
  Endpoint endpoint;
  if (colon != std::string_view::npos) {
    endpoint.host = address.substr(0, colon);
    const auto* end = address.data() + address.size();
    const auto [rest, failure] = std::from_chars(address.data() + colon + 1, end, endpoint.port);
    if (failure == std::errc() && rest == end && endpoint.port >= 0 && endpoint.port < 65536 &&
        !endpoint.host.empty()) {
      return endpoint;
    }
  }
  return error(Code::kInvalidArgument, fmt::format("'{}' is not HOST:PORT", address));
}

Result<std::vector<Listener>> listeners_of(const BrokerConfig& config) {
  const Settings settings(config, "");
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
