#include "net/tls_socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "net/address.h"

namespace tailrace::net {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

constexpr std::size_t kMostAtOnce = 1 << 30;

}  // namespace

Result<TlsSocket> TlsSocket::connect(const std::string& address, std::chrono::seconds patience,
                                     const std::shared_ptr<const Tls>& tls) {
  const auto at = parse_address(address);
  if (!at || at->host.empty()) {
    return error(Code::kInvalidArgument, fmt::format("'{}' is not HOST:PORT", address));
  }
  const std::string& host = at->host;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(host.c_str(), std::to_string(at->port).c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, FreeAddresses> held(list);
  if (failed != 0) {
    return error(Code::kUnavailable, fmt::format("{}: {}", address, gai_strerror(failed)));
  }
  int reason = 0;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    const int socket = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
    const timeval limit{patience.count(), 0};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(socket, one->ai_addr, one->ai_addrlen) == 0) {
      TlsSocket connected(address, socket);
      TRY(connected.shake(tls, host));
      return connected;
    }
    reason = errno;
    ::close(socket);
  }
  return error(Code::kUnavailable, std::strerror(reason));
}

TlsSocket::TlsSocket(TlsSocket&& other) noexcept
    : address_(std::move(other.address_)),
      socket_(std::exchange(other.socket_, -1)),
      tls_(std::move(other.tls_)) {}

TlsSocket& TlsSocket::operator=(TlsSocket&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(socket_, other.socket_);
  std::swap(tls_, other.tls_);
  return *this;
}

TlsSocket::~TlsSocket() {
  if (tls_) SSL_shutdown(tls_.get());
  ERR_clear_error();
  if (socket_ >= 0) ::close(socket_);
}

Status TlsSocket::shake(const std::shared_ptr<const Tls>& tls, const std::string& host) {
  if (!tls) return {};
  auto connection = tls->open(host);
  SSL_set_fd(connection.get(), socket_);
  ERR_clear_error();
  if (SSL_connect(connection.get()) == 1) {
    tls_ = std::move(connection);
    return {};
  }
  const auto verified = SSL_get_verify_result(connection.get());
  const auto number = ERR_peek_error();
  ERR_clear_error();
  const char* why = ERR_reason_error_string(number);
  if (verified != X509_V_OK) why = X509_verify_cert_error_string(verified);
  if (why == nullptr) why = "the connection ended";
  return error(Code::kPermissionDenied, fmt::format("{}: TLS handshake: {}", address_, why));
}

Error TlsSocket::broken(int outcome) const {
  std::string why = outcome == 0 ? "closed the connection" : std::strerror(errno);
  if (tls_ && outcome != 0) {
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    why = reason == nullptr ? "closed the connection" : reason;
    ERR_clear_error();
  }
  return {Code::kUnavailable, fmt::format("{}: {}", address_, why)};
}

Status TlsSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto most = std::min(bytes.size(), kMostAtOnce);
    const auto sent = tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(most))
                           : ::send(socket_, bytes.data(), most, MSG_NOSIGNAL);
    if (!tls_ && sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return std::unexpected(broken(static_cast<int>(sent)));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::size_t> TlsSocket::receive_some(char* to, std::size_t size, bool may_end) {
  const auto most = std::min(size, kMostAtOnce);
  while (true) {
    const auto got =
        tls_ ? SSL_read(tls_.get(), to, static_cast<int>(most)) : ::recv(socket_, to, most, 0);
    if (!tls_ && got < 0 && errno == EINTR) continue;
    const bool ended = tls_ ? SSL_get_shutdown(tls_.get()) == SSL_RECEIVED_SHUTDOWN : got == 0;
    if (got <= 0 && may_end && ended) return 0;
    if (got <= 0) return std::unexpected(broken(static_cast<int>(got)));
    return static_cast<std::size_t>(got);
  }
}

Status TlsSocket::receive(char* to, std::size_t size) {
  while (size > 0) {
    ASSIGN(const std::size_t got, receive_some(to, size));
    to += got;
    size -= got;
  }
  return {};
}

}  // namespace tailrace::net
