// A client's socket for tests of servers: blocking, on loopback; reads give up after a while.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace::net {

class ClientSocket {
 public:
  explicit ClientSocket(std::uint16_t port, int patience_s = 5)
      : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval limit{.tv_sec = patience_s, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~ClientSocket() { ::close(fd_); }
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  /// All of it, unless the server closes.
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Nothing more is sent.
  void end() const { shutdown(fd_, SHUT_WR); }

  /// False when the connection ended before, or nothing came.
  bool receive_into(char* to, std::size_t size) const {
    while (size > 0) {
      const auto got = recv(fd_, to, size, 0);
      if (got <= 0) return false;
      to += got;
      size -= static_cast<std::size_t>(got);
    }
    return true;
  }
  /// Appends what has come, or waits for something; false as above.
  bool receive_some(std::string& bytes) const {
    char chunk[1 << 16];
    const auto got = recv(fd_, chunk, sizeof chunk, 0);
    if (got > 0) bytes.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }

 private:
  int fd_;
};

}  // namespace tailrace::net
