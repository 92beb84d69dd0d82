// A client of binary protocols whose messages say their length first: many connections, one thread.
//
// Order of calls: FrameClient(config) → connect() … → the destructor, which ends all connections
// without a word to their listeners. Everything else happens on the client's thread: what listeners
// hear, what post() and after() run, what is called of a FrameLink.
//
// A frame over `frame_bytes` ends its connection before memory is taken for it. With TLS a
// connection is made when its handshake is done. A connection that is not made within `patience`
// has failed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/tls.h"

namespace tailrace::net {

/// Hears what becomes of one connection. After closed() it hears nothing more.
class FrameListener {
 public:
  virtual ~FrameListener() = default;
  virtual void connected() = 0;
  /// A whole frame, head included; `frame` holds during the call only.
  virtual void received(std::string_view frame) = 0;
  /// It could not be made, or has ended: kUnavailable, kDeadlineExceeded, kPermissionDenied where
  /// the certificates do not suit, kInvalidArgument for a frame that is refused.
  virtual void closed(const Error& why) = 0;
};

/// A connection; open until it is closed, whoever holds this.
class FrameLink {
 public:
  virtual ~FrameLink() = default;
  /// After connected(); written in order, together with what else waits.
  virtual void send(std::string_view bytes) = 0;
  /// Its listener hears nothing more.
  virtual void close() = 0;
};

struct FrameClientConfig {
  std::string name;  ///< of its thread, at most 15 characters
  std::size_t frame_bytes = 64 << 20;
  /// Bytes at the start of a frame that tell its length.
  std::size_t head_bytes = 4;
  /// The whole length of a frame, head included, from its head; an Error ends the connection.
  std::function<Result<std::size_t>(std::string_view head)> length = {};
};

class FrameClient {
 public:
  explicit FrameClient(FrameClientConfig config);
  ~FrameClient();
  FrameClient(const FrameClient&) = delete;
  FrameClient& operator=(const FrameClient&) = delete;

  /// Connects to a host by name or number, of several addresses to the first that answers. The
  /// listener is held until the connection is closed.
  std::shared_ptr<FrameLink> connect(const std::string& host, std::uint16_t port,
                                     std::shared_ptr<const Tls> tls,
                                     std::chrono::milliseconds patience,
                                     std::shared_ptr<FrameListener> listener);

  /// From any thread. What still waits at the end is dropped.
  void post(std::function<void()> task);
  void after(std::chrono::milliseconds wait, std::function<void()> task);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::net
