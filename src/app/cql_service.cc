#include "app/cql_service.h"

#include "app/host_port.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

/// The file's text; empty for no file.
Result<std::string> pem(const std::string& file) {
  constexpr std::size_t kMostBytes = 16 << 20;
  if (file.empty()) return std::string();
  return rt::read_whole(rt::posix_files(), file, kMostBytes);
}

/// Null without a certificate.
Result<std::shared_ptr<const net::Tls>> tls_of(const CqlSettings& settings) {
  if (settings.tls_certificate.empty() && settings.tls_key.empty() && settings.tls_clients.empty())
    return nullptr;
  if (settings.tls_certificate.empty() || settings.tls_key.empty()) {
    return error(Code::kInvalidArgument,
                 "TLS needs --tls-certificate and --tls-key, each a PEM file");
  }
  net::TlsServerConfig config;
  ASSIGN(config.identity.certificates, pem(settings.tls_certificate));
  ASSIGN(config.identity.key, pem(settings.tls_key));
  ASSIGN(config.trusted, pem(settings.tls_clients));
  if (!config.trusted.empty()) config.clients = net::ClientCertificates::kRequired;
  auto made = net::Tls::server(config);
  if (!made) return std::unexpected(made.error().in(settings.tls_certificate));
  return made;
}

}  // namespace

Result<std::unique_ptr<CqlService>> CqlService::open(const std::string& folder) {
  auto service = std::make_unique<CqlService>();
  ASSIGN(service->engine_, cql_query::Engine::open(folder, {}));
  return service;
}

Status CqlService::start(const CqlSettings& settings) {
  ASSIGN(auto at, host_port(settings.listen, settings.flag));
  cql::DoorConfig config;
  config.host = std::move(at.host);
  config.port = at.port;
  config.flag = settings.flag;
  ASSIGN(config.tls, tls_of(settings));
  ASSIGN(door_, cql::Door::start(*engine_, std::move(config)));
  return {};
}

}  // namespace tailrace::app
