#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "net/certificate.h"
#include "net/tls_swap.h"

namespace tailrace::net {
namespace {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* one) const {
    free(one);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

constexpr int kMostCertificates = 10'000;

Bio reading(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::unexpected<Error> failure(const std::string& what) {
  const auto number = ERR_peek_last_error();
  const char* reason = number == 0 ? nullptr : ERR_reason_error_string(number);
  ERR_clear_error();
  return error(Code::kInvalidArgument,
               reason == nullptr ? what : fmt::format("{}: {}", what, reason));
}

/// Without it OpenSSL would ask at the terminal.
int give_password(char* to, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.empty() || text.size() > static_cast<std::size_t>(size)) return -1;
  std::ranges::copy(text, to);
  return static_cast<int>(text.size());
}

Result<std::vector<Certificate>> certificates_of(const std::string& pem) {
  std::vector<Certificate> all;
  const auto bio = reading(pem);
  std::string none;
  ERR_clear_error();
  while (auto* one = PEM_read_bio_X509(bio.get(), nullptr, give_password, &none)) {
    all.emplace_back(one);
    if (all.size() > kMostCertificates) return failure("too many certificates");
  }
  const bool at_end = ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_PEM &&
                      ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end || all.empty()) return failure("no certificate can be read from the PEM text");
  ERR_clear_error();
  return all;
}

/// OpenSSL's names of the suites up to TLS 1.2; those of 1.3 have one name only.
std::pair<std::string, std::string> cipher_lists(const std::vector<std::string>& ciphers) {
  std::string older;
  std::string newer;
  for (const auto& name : ciphers) {
    const bool of_13 = name.starts_with("TLS_AES") || name.starts_with("TLS_CHACHA20");
    const std::string own = OPENSSL_cipher_name(name.c_str());
    std::string& list = of_13 ? newer : older;
    list += (list.empty() ? "" : ":") + (of_13 || own == "(NONE)" ? name : own);
  }
  return {older, newer};
}

}  // namespace

void FreeTlsConnection::operator()(ssl_st* connection) const {
  SSL_free(connection);
}

Tls::~Tls() {
  SSL_CTX_free(context_);
}

Status Tls::set(const TlsOptions& options) {
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  bool with_12 = options.protocols.empty();
  bool with_13 = with_12;
  for (const auto& protocol : options.protocols) {
    if (protocol != "TLSv1.2" && protocol != "TLSv1.3") {
      return error(Code::kInvalidArgument,
                   fmt::format("{} is not spoken here; TLSv1.2 and TLSv1.3 are", protocol));
    }
    (protocol == "TLSv1.2" ? with_12 : with_13) = true;
  }
  SSL_CTX_set_min_proto_version(context_, with_12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context_, with_13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  const auto [older, newer] = cipher_lists(options.ciphers);
  if ((!older.empty() && SSL_CTX_set_cipher_list(context_, older.c_str()) != 1) ||
      (!newer.empty() && SSL_CTX_set_ciphersuites(context_, newer.c_str()) != 1)) {
    return failure("the cipher suites cannot be used");
  }
  return {};
}

Status Tls::identify(const TlsIdentity& identity) {
  ASSIGN(const auto chain, certificates_of(identity.certificates));
  if (SSL_CTX_use_certificate(context_, chain.front().get()) != 1) {
    return failure("the certificate cannot be used");
  }
  for (auto one = chain.begin() + 1; one != chain.end(); ++one) {
    if (SSL_CTX_add1_chain_cert(context_, one->get()) != 1) {
      return failure("the certificate's chain cannot be used");
    }
  }
  const auto bio = reading(identity.key);
  std::string password = identity.key_password;
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, &password));
  if (!key) return failure("the key cannot be read (a wrong password, or not PEM)");
  if (SSL_CTX_use_PrivateKey(context_, key.get()) != 1) {
    return failure("the key is not that of the certificate");
  }
  return {};
}

Status Tls::trust(const std::string& pem) {
  if (pem.empty()) {
    SSL_CTX_set_default_verify_paths(context_);
    return {};
  }
  ASSIGN(const auto all, certificates_of(pem));
  auto* store = SSL_CTX_get_cert_store(context_);
  for (const auto& one : all) {
    if (X509_STORE_add_cert(store, one.get()) != 1) return failure("a certificate to trust");
    SSL_CTX_add_client_CA(context_, one.get());
  }
  // An authority in the middle may be trusted without the one above it, as Java does.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

Result<std::shared_ptr<const Tls>> Tls::server(const TlsServerConfig& config) {
  const std::shared_ptr<Tls> tls(new Tls(SSL_CTX_new(TLS_server_method())));
  TRY(tls->set(config.options));
  TRY(tls->identify(config.identity));
  make_swappable(*tls->context_);
  if (config.clients == ClientCertificates::kIgnored) return tls;
  TRY(tls->trust(config.trusted));
  const int must =
      config.clients == ClientCertificates::kRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(tls->context_, SSL_VERIFY_PEER | must, nullptr);
  // Sessions that are taken up again must be of this program.
  constexpr std::string_view kWhose = "tailrace";
  SSL_CTX_set_session_id_context(tls->context_,
                                 reinterpret_cast<const unsigned char*>(kWhose.data()),
                                 static_cast<unsigned>(kWhose.size()));
  return tls;
}

Result<std::shared_ptr<const Tls>> Tls::client(const TlsClientConfig& config) {
  const std::shared_ptr<Tls> tls(new Tls(SSL_CTX_new(TLS_client_method())));
  TRY(tls->set(config.options));
  TRY(tls->trust(config.trusted));
  if (!config.identity.certificates.empty()) TRY(tls->identify(config.identity));
  SSL_CTX_set_verify(tls->context_, SSL_VERIFY_PEER, nullptr);
  tls->verify_host_ = config.verify_host;
  return tls;
}

TlsConnection Tls::open(const std::string& host) const {
  TlsConnection connection(SSL_new(context_));
  if (!host.empty()) aim(*connection, host);
  return connection;
}

void Tls::aim(ssl_st& connection, const std::string& host) const {
  const bool number = std::ranges::all_of(
      host, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == ':'; });
  if (!number) SSL_set_tlsext_host_name(&connection, host.c_str());
  if (!verify_host_) return;
  if (number) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&connection), host.c_str());
  } else {
    SSL_set1_host(&connection, host.c_str());
  }
}

ssl_ctx_st* Tls::share() const {
  SSL_CTX_up_ref(context_);
  return context_;
}

std::string peer_subject(const ssl_st& connection) {
  const Certificate certificate(SSL_get1_peer_certificate(&connection));
  return certificate ? name_text(X509_get_subject_name(certificate.get())) : std::string();
}

std::string handshake_failure(unsigned long number, std::string_view otherwise) {
  switch (ERR_GET_LIB(number) == ERR_LIB_SSL ? ERR_GET_REASON(number) : 0) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return "a client that does not speak TLS, at a port that does";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "the client showed no certificate, and must";
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return "the client speaks only older versions of TLS";
    default:
      return fmt::format("the TLS handshake failed: {}", otherwise);
  }
}

}  // namespace tailrace::net
