// A client's side of a WebSocket (RFC 6455), over libcurl's connections: ws and wss. Blocking.
//
// Order of calls: connect() → send() and receive() as one likes → the destructor says goodbye.
// Threads: one.
//
// Pings are answered and fragments joined within receive(). It takes no extensions, follows no
// redirect, and does not look whether a text is UTF-8. A message over `max_message_bytes` is given
// as its beginning, marked; no more memory is taken for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::net {

struct WebSocketOptions {
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string protocol = {};        ///< Sec-WebSocket-Protocol; the server must take it
  std::string ca_file = {};         ///< PEM certificates that are trusted instead of the system's
  int connect_timeout_ms = 10'000;  ///< with the handshakes
  std::size_t max_message_bytes = 1 << 20;
  std::stop_token stop = {};  ///< ends every wait with kCancelled
};

struct WebSocketMessage {
  std::string bytes;
  bool text = true;
  bool cut = false;  ///< it was larger than the limit
};

class WebSocket {
 public:
  /// kInvalidArgument: no ws or wss URL. kUnavailable: refused, TLS, or not answered with 101.
  static Result<std::unique_ptr<WebSocket>> connect(const std::string& url,
                                                    const WebSocketOptions& options);
  virtual ~WebSocket() = default;

  virtual Status send(std::string_view text) = 0;
  virtual Status ping() = 0;
  /// Nothing when no whole message came in time. kUnavailable when the connection has ended; what
  /// the server said of it stands in the Error.
  virtual Result<std::optional<WebSocketMessage>> receive(std::chrono::milliseconds wait) = 0;
  /// When the server last sent anything, a pong too.
  virtual std::chrono::steady_clock::time_point heard() const = 0;
};

/// The answer to a Sec-WebSocket-Key (RFC 6455 §4.2.2).
std::string web_socket_accept(std::string_view key);

}  // namespace tailrace::net
