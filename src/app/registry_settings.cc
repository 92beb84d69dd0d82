#include "app/registry_settings.h"

#include <algorithm>
#include <array>

#include "app/host_port.h"
#include "base/log.h"
#include "kafka/properties.h"
#include "kafka/tls_settings.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

using kafka::Settings;
using kafka::unusable;

constexpr std::size_t kMostBytes = 16 << 20;
constexpr std::array<std::string_view, 9> kNames = {
    "listeners",
    "ssl.client.authentication",
    "ssl.enabled.protocols",
    "ssl.cipher.suites",
    "authentication.method",
    "authentication.realm",
    "authentication.roles",
    "authentication.skip.paths",
    "authentication.users.location",
};

bool is_known(std::string_view name) {
  return std::ranges::find(kNames, name) != kNames.end() || name.starts_with("ssl.keystore.") ||
         name.starts_with("ssl.truststore.") || name == "ssl.key.password";
}

void set(kafka::ConfigMap& values, const std::string& name, std::string value) {
  if (!is_known(name))
    LOG(warn, "schema registry: the setting {} means nothing here and is passed over", name);
  else
    values[name] = std::move(value);
}

Result<kafka::ConfigMap> values_of(const RegistrySettings& settings) {
  kafka::ConfigMap values;
  if (!settings.config.empty()) {
    ASSIGN(const auto text, rt::read_whole(rt::posix_files(), settings.config, kMostBytes));
    for (auto& one : kafka::parse_properties(text)) set(values, one.name, std::move(one.value));
  }
  for (const auto& one : settings.settings) {
    const auto equals = one.find('=');
    if (equals == std::string::npos) {
      return error(Code::kInvalidArgument, "--set " + one + ": NAME=VALUE is expected");
    }
    set(values, one.substr(0, equals), one.substr(equals + 1));
  }
  return values;
}

/// Where to listen; `secure` says whether `listeners` wants TLS.
Result<HostPort> address_of(const RegistrySettings& settings, const Settings& values,
                            bool& secure) {
  const std::string kListeners = "listeners";
  const bool has_keys =
      values.has("ssl.keystore.location") || values.has("ssl.keystore.certificate.chain");
  secure = has_keys;
  if (!settings.listen.empty()) return host_port(settings.listen, settings.flag);
  const auto listeners =
      values.has(kListeners) ? values.list(kListeners) : std::vector<std::string>();
  if (listeners.empty()) return host_port("127.0.0.1:8081", settings.flag);
  if (listeners.size() > 1) return unusable(kListeners, "one is served, not several");
  for (const std::string scheme : {"http://", "https://"}) {
    if (!listeners[0].starts_with(scheme)) continue;
    secure = scheme == "https://";
    std::string rest = listeners[0].substr(scheme.size());
    if (rest.starts_with(':')) rest = "0.0.0.0" + rest;
    return host_port(rest, kListeners);
  }
  return unusable(kListeners, "http://HOST:PORT or https://HOST:PORT is expected");
}

Result<net::ClientCertificates> clients_of(const Settings& values) {
  const std::string kName = "ssl.client.authentication";
  const auto word = values.get(kName);
  if (word.empty() || word == "NONE") return net::ClientCertificates::kIgnored;
  if (word == "REQUESTED") return net::ClientCertificates::kWanted;
  if (word == "REQUIRED") return net::ClientCertificates::kRequired;
  return unusable(kName, "NONE, REQUESTED or REQUIRED is expected");
}

Result<std::shared_ptr<const net::Tls>> tls_of(const Settings& values) {
  net::TlsServerConfig tls;
  ASSIGN(tls.identity, kafka::tls_identity(values));
  ASSIGN(tls.trusted, kafka::tls_trusted(values));
  ASSIGN(tls.clients, clients_of(values));
  tls.options.protocols = values.list("ssl.enabled.protocols");
  tls.options.ciphers = values.list("ssl.cipher.suites");
  auto made = net::Tls::server(tls);
  if (!made) return unusable("ssl.keystore and ssl.truststore", made.error().what);
  return std::move(*made);
}

Result<std::shared_ptr<const auth::Passwords>> passwords_of(const RegistrySettings& settings,
                                                            const Settings& values) {
  const std::string kLocation = "authentication.users.location";
  const std::string path = values.get(kLocation);
  if (path.empty()) {
    if (settings.users == nullptr) return unusable(kLocation, "is missing: a file of users");
    return std::make_shared<const auth::Passwords>(*settings.users);
  }
  const auto text = rt::read_whole(rt::posix_files(), path, kMostBytes);
  if (!text) return unusable(kLocation, text.error().what);
  auto users = auth::parse_users(*text);
  if (!users) return unusable(kLocation, path + ": " + users.error().what);
  return std::make_shared<const auth::Passwords>(std::move(*users));
}

Status add_auth(const RegistrySettings& settings, const Settings& values,
                registry::BasicAuth& auth) {
  const std::string kMethod = "authentication.method";
  const auto method = values.get(kMethod);
  if (method.empty() || method == "NONE") return {};
  if (method != "BASIC") return unusable(kMethod, "NONE or BASIC is expected");
  ASSIGN(auth.passwords, passwords_of(settings, values));
  auth.realm =
      values.has("authentication.realm") ? values.get("authentication.realm") : "SchemaRegistry";
  if (values.has("authentication.roles")) auth.roles = values.list("authentication.roles");
  auth.open_paths = values.list("authentication.skip.paths");
  return {};
}

/// The cluster's id, which the log's broker makes when it first starts; empty before.
std::string cluster_id(const std::string& folder) {
  const auto text = rt::read_whole(rt::posix_files(), folder + "/meta.properties", kMostBytes);
  if (!text) return "";
  for (const auto& one : kafka::parse_properties(*text)) {
    if (one.name == "cluster.id") return one.value;
  }
  return "";
}

}  // namespace

Result<registry::DoorConfig> door_config(const RegistrySettings& settings) {
  ASSIGN(const kafka::ConfigMap map, values_of(settings));
  const Settings values(map);
  bool secure = false;
  ASSIGN(const HostPort at, address_of(settings, values, secure));
  registry::DoorConfig config{.host = at.host, .port = at.port, .flag = settings.flag};
  config.cluster_id = [folder = settings.folder] { return cluster_id(folder); };
  if (secure) {
    ASSIGN(config.tls, tls_of(values));
  }
  TRY(add_auth(settings, values, config.auth));
  return config;
}

}  // namespace tailrace::app
