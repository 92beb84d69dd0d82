// TLS as every door and client of the house uses it: a context made once from PEM texts, of which
// each connection opens its own state. The transport over it is net/secured.h for Asio's sockets
// and net/tls_socket.h for a blocking one.
//
// Order of calls: Tls::server(config) or Tls::client(config) → open() a connection …
// Threads: a context does not change and may be used from any.
//
// TLS 1.2 and 1.3 only. A key, a password or a certificate's key never stands in an Error.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace tailrace::net {

/// A certificate with the chain to its authority, own first, and its key: PEM texts.
struct TlsIdentity {
  std::string certificates;
  std::string key;
  std::string key_password;  ///< of an encrypted key
};

/// What is read of a PKCS#12 file, and what JKS files are refused with.
struct TlsStore {
  TlsIdentity identity;
  std::string trusted;  ///< PEM: the other certificates
};

enum class ClientCertificates { kIgnored, kWanted, kRequired };

struct TlsOptions {
  std::vector<std::string> protocols;  ///< "TLSv1.2", "TLSv1.3"; none: both
  std::vector<std::string> ciphers;    ///< by IANA's or OpenSSL's names; none: OpenSSL's own choice
};

struct TlsServerConfig {
  TlsIdentity identity;
  std::string trusted;  ///< PEM: authorities of clients' certificates; empty: the system's
  ClientCertificates clients = ClientCertificates::kIgnored;
  TlsOptions options = {};
};

struct TlsClientConfig {
  TlsIdentity identity = {};  ///< empty: none is shown
  std::string trusted;        ///< PEM; empty: the system's authorities
  bool verify_host = true;    ///< the certificate must be of the host that was asked for
  TlsOptions options = {};
};

struct FreeTlsConnection {
  void operator()(ssl_st* connection) const;
};
using TlsConnection = std::unique_ptr<ssl_st, FreeTlsConnection>;

class Tls {
 public:
  /// kInvalidArgument says what of the certificate, key or setting cannot be used.
  static Result<std::shared_ptr<const Tls>> server(const TlsServerConfig& config);
  static Result<std::shared_ptr<const Tls>> client(const TlsClientConfig& config);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  /// The state of one connection. `host` is whom a client wants to reach.
  TlsConnection open(const std::string& host = {}) const;
  /// Says to a connection that was opened otherwise whom a client wants to reach.
  void aim(ssl_st& connection, const std::string& host) const;
  /// One more owner of OpenSSL's context, for a stream that opens its state itself.
  ssl_ctx_st* share() const;

 private:
  explicit Tls(ssl_ctx_st* context) : context_(context) {}
  Status set(const TlsOptions& options);
  Status identify(const TlsIdentity& identity);
  Status trust(const std::string& pem);

  ssl_ctx_st* context_;
  bool verify_host_ = false;
};

/// The subject of the other end's certificate as RFC 2253 writes it ("CN=alice,O=Example"); empty
/// when it showed none. Attributes that RFC 2253 does not name stand as OID=#hex, as in Java.
std::string peer_subject(const ssl_st& connection);

/// Why a handshake failed, from OpenSSL's number: names a client that does not speak TLS.
std::string handshake_failure(unsigned long number, std::string_view otherwise);

/// What a PKCS#12 file holds. kInvalidArgument for a wrong password, a JKS file and what else is
/// none.
Result<TlsStore> read_pkcs12(std::string_view bytes, const std::string& password);

}  // namespace tailrace::net
