// A connected blocking socket, with TLS over it or without: for clients that ask and wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/tls.h"

namespace tailrace::net {

class TlsSocket {
 public:
  /// Connects to HOST:PORT, and shakes hands where `tls` is not nullptr. kInvalidArgument for what
  /// is not HOST:PORT, kUnavailable when nobody listens, kPermissionDenied when the certificates do
  /// not suit one of the two; `patience` holds for every wait; zero is for
  /// ever.
  static Result<TlsSocket> connect(const std::string& address, std::chrono::seconds patience,
                                   const std::shared_ptr<const Tls>& tls);
  TlsSocket(TlsSocket&& other) noexcept;
  TlsSocket& operator=(TlsSocket&& other) noexcept;
  ~TlsSocket();

  /// All of it. kUnavailable when the connection ends, or nothing moves for too long.
  Status send(std::string_view bytes);
  Status receive(char* to, std::size_t size);
  /// What is there, at least one byte. The connection's end is kUnavailable, or 0 where it
  /// `may_end`.
  Result<std::size_t> receive_some(char* to, std::size_t most, bool may_end = false);

 private:
  TlsSocket(std::string address, int socket) : address_(std::move(address)), socket_(socket) {}
  Status shake(const std::shared_ptr<const Tls>& tls, const std::string& host);
  Error broken(int outcome) const;

  std::string address_;
  int socket_ = -1;
  TlsConnection tls_;
};

}  // namespace tailrace::net
