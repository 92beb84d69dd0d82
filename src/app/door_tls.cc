#include "app/door_tls.h"

#include <fmt/format.h>

#include "net/certificate.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

/// The file's text; empty for no file.
Result<std::string> pem(const std::string& file) {
  constexpr std::size_t kMostBytes = 16 << 20;
  if (file.empty()) return std::string();
  return rt::read_whole(rt::posix_files(), file, kMostBytes);
}

}  // namespace

Result<std::shared_ptr<const net::Tls>> door_tls(const TlsFiles& files, const std::string& flags) {
  if (files.certificate.empty() && files.key.empty() && files.clients.empty()) return nullptr;
  if (files.certificate.empty() || files.key.empty()) {
    return error(
        Code::kInvalidArgument,
        fmt::format("TLS needs {0}tls-certificate and {0}tls-key, each a PEM file", flags));
  }
  net::TlsServerConfig config;
  ASSIGN(config.identity.certificates, pem(files.certificate));
  ASSIGN(config.identity.key, pem(files.key));
  ASSIGN(config.trusted, pem(files.clients));
  if (!config.trusted.empty()) config.clients = net::ClientCertificates::kRequired;
  auto made = net::Tls::server(config);
  if (!made) return std::unexpected(made.error().in(files.certificate));
  return made;
}

Result<std::string> door_key(const TlsFiles& files) {
  if (files.certificate.empty()) return std::string();
  ASSIGN(const auto certificates, pem(files.certificate));
  auto key = net::public_key_pin(certificates);
  if (!key) return std::unexpected(key.error().in(files.certificate));
  return key;
}

}  // namespace tailrace::app
