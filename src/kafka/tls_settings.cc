#include "kafka/tls_settings.h"

#include <fmt/format.h>

#include <charconv>

#include "kafka/config_table.h"
#include "rt/file.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kMostFileBytes = 16 << 20;

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

}  // namespace

std::string Settings::get(const std::string& name) const {
  for (const auto& key : {prefix_ + name, name}) {
    if (const auto found = values_.find(key); found != values_.end()) return found->second;
  }
  const auto* info = find_config(ConfigKind::kBroker, name);
  return info != nullptr && info->default_value ? std::string(*info->default_value) : std::string();
}

std::string Settings::own(const std::string& name) const {
  const auto found = values_.find(prefix_ + name);
  return found == values_.end() ? std::string() : found->second;
}

bool Settings::has(const std::string& name) const {
  return values_.contains(prefix_ + name) || values_.contains(name);
}

std::int64_t Settings::number(const std::string& name) const {
  const auto text = get(name);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string> Settings::list(const std::string& name) const {
  return config_list(get(name));
}

std::unexpected<Error> unusable(const std::string& name, std::string_view why) {
  return error(Code::kInvalidArgument, fmt::format("{}: {}", name, why));
}

/// The certificate and its key: inline, a PEM file with both, or PKCS#12.
Result<net::TlsIdentity> tls_identity(const Settings& settings) {
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

Result<std::string> tls_trusted(const Settings& settings) {
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

std::string listener_prefix(std::string listener) {
  for (char& c : listener) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return "listener.name." + listener + ".";
}

Result<net::TlsServerConfig> tls_server_config(const Settings& settings, bool sasl) {
  net::TlsServerConfig tls;
  ASSIGN(tls.identity, tls_identity(settings));
  ASSIGN(tls.trusted, tls_trusted(settings));
  ASSIGN(tls.clients, client_auth_of(settings, sasl));
  tls.options.protocols = settings.list("ssl.enabled.protocols");
  tls.options.ciphers = settings.list("ssl.cipher.suites");
  return tls;
}

}  // namespace tailrace::kafka
