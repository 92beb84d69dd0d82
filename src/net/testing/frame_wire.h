// Frames of a test's own protocol, a length and a body, and a client of it.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "net/testing/client_socket.h"

namespace tailrace::net {

inline std::string frame(std::string_view body) {
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(body.size()));
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + std::string(body);
}

class Wire : public ClientSocket {
 public:
  using ClientSocket::ClientSocket;

  /// The body of the next frame, or "closed".
  std::string receive() const {
    std::uint32_t size = 0;
    if (!receive_into(reinterpret_cast<char*>(&size), sizeof size)) return "closed";
    std::string body(ntohl(size), '\0');
    return receive_into(body.data(), body.size()) ? body : "closed";
  }
};

}  // namespace tailrace::net
