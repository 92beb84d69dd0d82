#include "kafka/client.h"

#include <fmt/format.h>

#include <utility>

#include "auth/client_credentials.h"
#include "auth/digest.h"
#include "auth/jaas.h"
#include "auth/oauth_bearer.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "base/kafka_error.h"
#include "kafka/messages/sasl_authenticate_request.h"
#include "kafka/messages/sasl_authenticate_response.h"
#include "kafka/messages/sasl_handshake_request.h"
#include "kafka/messages/sasl_handshake_response.h"
#include "kafka/tls_settings.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kNonceBytes = 24;

Result<std::shared_ptr<const net::Tls>> tls_of(const ConfigMap& values) {
  const Settings settings(values);
  net::TlsClientConfig tls;
  ASSIGN(tls.trusted, tls_trusted(settings));
  if (settings.has("ssl.keystore.location") || settings.has("ssl.keystore.certificate.chain")) {
    ASSIGN(tls.identity, tls_identity(settings));
  }
  tls.verify_host = !settings.has("ssl.endpoint.identification.algorithm") ||
                    settings.get("ssl.endpoint.identification.algorithm") == "https";
  tls.options.protocols = settings.list("ssl.enabled.protocols");
  return net::Tls::client(tls);
}

}  // namespace

Result<Client> Client::connect(const std::string& address, std::chrono::seconds patience) {
  return connect(address, ConfigMap(), patience);
}

Result<Client> Client::connect(const std::string& address, const ConfigMap& settings,
                               std::chrono::seconds patience) {
  const auto found = settings.find("security.protocol");
  const auto protocol = found == settings.end() ? std::string("PLAINTEXT") : found->second;
  const bool sasl = protocol == "SASL_PLAINTEXT" || protocol == "SASL_SSL";
  std::shared_ptr<const net::Tls> tls;
  if (protocol == "SSL" || protocol == "SASL_SSL") {
    ASSIGN(tls, tls_of(settings));
  } else if (!sasl && protocol != "PLAINTEXT") {
    return error(Code::kInvalidArgument,
                 fmt::format("security.protocol: {} is none of PLAINTEXT, SSL, SASL_PLAINTEXT, "
                             "SASL_SSL",
                             protocol));
  }
  auto socket = net::TlsSocket::connect(address, patience, tls);
  if (!socket && socket.error().code == Code::kUnavailable) {
    return error(Code::kUnavailable,
                 fmt::format("no broker at {}: {}; `tailrace run` and `tailrace broker` start one, "
                             "--broker names another",
                             address, socket.error().what));
  }
  if (!socket) return std::unexpected(socket.error());
  Client client(address, std::move(*socket));
  if (sasl) TRY(client.log_in(settings));
  return client;
}

Result<std::string> Client::authenticate(const std::string& message) {
  SaslAuthenticateRequest request;
  request.auth_bytes = message;
  ASSIGN(const auto response, ask<SaslAuthenticateResponse>(request));
  if (response.error_code == 0) return std::string(response.auth_bytes);
  return error(Code::kPermissionDenied,
               fmt::format("{}: {}", address_, response.error_message.value_or("login refused")));
}

Status Client::log_in(const ConfigMap& settings) {
  const auto value = [&](std::string_view name) {
    const auto found = settings.find(name);
    return found == settings.end() ? std::string() : found->second;
  };
  auto module = auth::parse_jaas(value("sasl.jaas.config"));
  if (!module) return std::unexpected(module.error().in("sasl.jaas.config"));
  const std::string user = module->options["username"];
  const std::string password = module->options["password"];
  SaslHandshakeRequest request;
  request.mechanism = value("sasl.mechanism");
  const auto scram = auth::scram_mechanism(request.mechanism);
  const bool by_token = request.mechanism == auth::kOAuthBearer;
  if (!scram && !by_token && request.mechanism != "PLAIN") {
    return error(Code::kInvalidArgument,
                 fmt::format("sasl.mechanism: '{}' is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, "
                             "OAUTHBEARER",
                             request.mechanism));
  }
  ASSIGN(const auto response, ask<SaslHandshakeResponse>(request));
  if (response.error_code != 0) {
    return error(Code::kPermissionDenied,
                 fmt::format("{} takes no logins by {}", address_, request.mechanism));
  }
  if (scram) return log_in_by_scram(*scram, user, password);
  if (by_token) return log_in_by_token(settings, std::move(module->options));
  const std::string nul(1, '\0');
  TRY(authenticate(nul + user + nul + password));
  return {};
}

/// The client's id, secret and scope are settings (KIP-1139), or the module's options (KIP-768).
Status Client::log_in_by_token(const ConfigMap& settings,
                               std::map<std::string, std::string> options) {
  const auto value = [&](const std::string& name, const char* option) {
    const auto found = settings.find("sasl.oauthbearer." + name);
    return found == settings.end() ? options[option] : found->second;
  };
  const auth::ClientCredentials credentials{
      .token_url = value("token.endpoint.url", ""),
      .client_id = value("client.credentials.client.id", "clientId"),
      .client_secret = value("client.credentials.client.secret", "clientSecret"),
      .scope = value("scope", "scope"),
      .ca_file = options["ssl.truststore.location"]};
  if (credentials.token_url.empty()) {
    return error(Code::kInvalidArgument,
                 "sasl.oauthbearer.token.endpoint.url is missing: where a token comes from");
  }
  ASSIGN(const auto token, auth::fetch_access_token(credentials));
  ASSIGN(const auto refusal, authenticate(auth::bearer_message(
                                 {.authorize_as = {}, .token = token.text, .extensions = {}})));
  if (refusal.empty()) return {};
  // The broker has said why; it refuses when it hears that this is known.
  TRY(authenticate("\x01"));
  return error(Code::kPermissionDenied, fmt::format("{}: {}", address_, refusal));
}

Status Client::log_in_by_scram(auth::ScramMechanism mechanism, const std::string& user,
                               const std::string& password) {
  auth::ScramClient scram(mechanism, user, password,
                          encode_base64(auth::random_bytes(kNonceBytes)));
  ASSIGN(const auto challenge, authenticate(scram.first()));
  ASSIGN(const auto proof, scram.proof(challenge));
  ASSIGN(const auto signature, authenticate(proof));
  return scram.verify(signature);
}

RequestHeader Client::header(const ApiInfo& api, Version version) {
  RequestHeader header;
  header.request_api_key = static_cast<std::int16_t>(api.key);
  header.request_api_version = version.value;
  header.correlation_id = ++correlation_;
  header.client_id = "tailrace";
  return header;
}

Status Client::exchange(const std::string& frame) {
  TRY(socket_.send(frame));
  char head[4];
  TRY(socket_.receive(head, sizeof head));
  const auto size = load_be<std::int32_t>(head);
  if (size < 0 || size > kMostAnswerBytes) {
    return error(Code::kResourceExhausted,
                 fmt::format("{} announces an answer of {} bytes", address_, size));
  }
  answer_.resize(static_cast<std::size_t>(size));
  return socket_.receive(answer_.data(), answer_.size());
}

}  // namespace tailrace::kafka
