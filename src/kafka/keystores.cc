#include "kafka/keystores.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "kafka/tls_settings.h"
#include "net/tls_swap.h"

namespace tailrace::kafka {
namespace {

constexpr std::string_view kOfListener = "listener.name.";
// SslConfigs.RECONFIGURABLE_CONFIGS of Kafka.
constexpr std::array<std::string_view, 10> kSettings = {
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
};

Error not_possible(std::string_view why) {
  return {Code::kInvalidArgument,
          fmt::format("Validation of dynamic config update of SSLFactory failed: "
                      "org.apache.kafka.common.config.ConfigException: {}",
                      why)};
}

/// Whom clients expect at the listener must still be there.
Status check_names(const Settings& settings, const net::CertificateNames& old,
                   const net::CertificateNames& next) {
  // Of PEM, Java calls the only entry so.
  constexpr std::string_view kAlias = "kafka";
  if (settings.get("ssl.allow.dn.changes") != "true" && old.subject != next.subject) {
    return std::unexpected(not_possible(
        fmt::format("Keystore DistinguishedName does not match:  existing={{alias={0}, DN={1}}}, "
                    "new={{alias={0}, DN={2}}}",
                    kAlias, old.subject, next.subject)));
  }
  if (settings.get("ssl.allow.san.changes") != "true" &&
      !std::ranges::includes(next.alternates, old.alternates)) {
    return std::unexpected(not_possible(
        fmt::format("Keystore SubjectAltNames do not match:  existing={{alias={0}, SAN=[{1}]}}, "
                    "new={{alias={0}, SAN=[{2}]}}",
                    kAlias, fmt::join(old.alternates, ", "), fmt::join(next.alternates, ", "))));
  }
  return {};
}

Result<std::shared_ptr<const net::Tls>> certificates_of(const Listener& listener,
                                                        const ConfigMap& values) {
  const Settings settings(values, listener_prefix(listener.name));
  ASSIGN(const auto config, tls_server_config(settings, listener.protocol.starts_with("SASL")));
  ASSIGN(auto tls, net::Tls::server(config));
  TRY(check_names(settings, net::shown_names(*listener.tls), net::shown_names(*tls)));
  return tls;
}

}  // namespace

bool is_of_keystore(std::string_view setting) {
  if (!setting.starts_with(kOfListener)) return false;
  const auto dot = setting.find('.', kOfListener.size());
  return dot != std::string_view::npos &&
         std::ranges::find(kSettings, setting.substr(dot + 1)) != kSettings.end();
}

Result<NewCertificates> read_certificates(const Broker& broker, const ConfigMap& values) {
  ConfigMap all = broker.config().started;
  for (const auto& [name, value] : values) {
    if (is_of_keystore(name)) all[name] = value;
  }
  NewCertificates found;
  for (const auto& listener : broker.listeners()) {
    if (!listener->tls) continue;
    auto tls = certificates_of(*listener, all);
    if (!tls) {
      const auto& why = tls.error().what;
      if (why.starts_with("Validation")) return std::unexpected(tls.error());
      return std::unexpected(not_possible(fmt::format("listener {}: {}", listener->name, why)));
    }
    found.emplace_back(listener, std::move(*tls));
  }
  return found;
}

void take_certificates(const NewCertificates& all) {
  for (const auto& [listener, tls] : all) net::use_instead(*listener->tls, tls);
}

void read_certificates_again(Broker& broker) {
  const auto all = read_certificates(
      broker, broker.config_store().get(ResourceType::kBroker, std::to_string(broker.node_id())));
  if (all)
    take_certificates(*all);
  else
    LOG(error, "the listeners keep their certificates: {}", all.error().what);
}

}  // namespace tailrace::kafka
