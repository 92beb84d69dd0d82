// A server for binary protocols whose messages say their length first: the Kafka and CQL doors.
//
// Order of calls: FrameServer::start(config) → port() … → stop() (or the destructor).
// Threads: `threads` threads run the sockets; all of a connection happens on one of them. A door
// answers at once or later, from any thread; answers leave in the order of the requests, or as they
// come where `ordered` is off (CQL's streams). An Outlet sends what nobody asked for.
//
// What it refuses by itself: a frame over `frame_bytes` (connection closed, a line in the log)
// before memory is taken for it, for memory grows with what has arrived, not with what was
// announced; connections over `connections`. A connection that has `in_flight` requests without an
// answer, or `unsent_bytes` of answers that its client does not read, is not read from until that
// changes; one that is silent for `idle` is closed.
//
// With `tls` every connection speaks TLS: it is the door's when its handshake is done, which
// happens step by step like all else, so that a slow one holds up nobody, and is closed after
// `handshake`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/tls.h"

namespace tailrace::net {

struct FrameLimits {
  std::size_t frame_bytes = 100 << 20;
  std::size_t connections = 10'000;
  std::size_t in_flight = 64;
  std::size_t unsent_bytes = 16 << 20;
  /// What an Outlet may push while an earlier write is not done; beyond it the client is closed.
  std::size_t pushed_bytes = 1 << 20;
  std::chrono::milliseconds idle = std::chrono::minutes(10);
  /// How long a TLS handshake may take.
  std::chrono::milliseconds handshake = std::chrono::seconds(30);
  /// How long stop() waits for answers that are on their way.
  std::chrono::milliseconds drain = std::chrono::seconds(2);
};

/// The bytes of one answer, frame head included, in pieces that are written one after the other.
struct Outgoing {
  std::vector<std::string_view> pieces = {};
  std::shared_ptr<const void> owner = {};  ///< what the pieces lie in; let go when they are written

  Outgoing() = default;
  Outgoing(std::vector<std::string_view> views, std::shared_ptr<const void> held)
      : pieces(std::move(views)), owner(std::move(held)) {}
  explicit Outgoing(std::string bytes);
};

/// What else comes of an answer. While it is delayed or pauses nothing of its connection is served.
struct Manner {
  std::chrono::milliseconds delay{0};  ///< before it is sent
  std::chrono::milliseconds pause{0};  ///< after it was sent
  bool close_after = false;            ///< it is the connection's last
};

class Connection;

/// A way to a client for what it did not ask for, at any time, from any thread. It may outlive the
/// connection.
class Outlet {
 public:
  Outlet() = default;
  explicit Outlet(std::weak_ptr<Connection> connection) : connection_(std::move(connection)) {}

  /// False when the connection is gone. One whose client does not read is closed when
  /// `pushed_bytes` wait for it.
  bool push(std::string_view bytes) const;
  bool open() const { return !connection_.expired(); }
  /// More than `unsent_bytes` of answers wait for the client, those of other threads too.
  bool full() const;

 private:
  std::weak_ptr<Connection> connection_;
};

/// The way back for one request. Call one of the two, once, from any thread; a Reply that goes away
/// uncalled closes the connection.
class Reply {
 public:
  Reply(std::weak_ptr<Connection> connection, std::uint64_t number)
      : connection_(std::move(connection)), number_(number) {}
  Reply(Reply&&) noexcept = default;
  Reply& operator=(Reply&&) noexcept = default;
  ~Reply();

  /// No pieces: the request gets no answer (Kafka's acks=0).
  void send(Outgoing answer, Manner manner = {});
  /// A small answer, whose bytes are copied to those that the connection writes next.
  void send_copy(std::string_view bytes);
  /// Closes the connection once the answers before this one are sent; `why` goes to the log.
  void close(std::string_view why);

  /// For one more answer to the same frame; during serve() only, before this one is called.
  Reply another() const;
  Outlet outlet() const { return Outlet(connection_); }

 private:
  std::weak_ptr<Connection> connection_;  // empty: it was called
  std::uint64_t number_;
};

/// While it lives, connections do not look at what this thread answers; then each looks once. For a
/// thread that answers many requests at a time.
class AnswersTogether {
 public:
  AnswersTogether();
  ~AnswersTogether();
  AnswersTogether(const AnswersTogether&) = delete;
  AnswersTogether& operator=(const AnswersTogether&) = delete;

 private:
  bool outer_;  // within another
  std::vector<std::shared_ptr<Connection>> held_;
};

/// A door's side of one connection.
class FrameSession {
 public:
  virtual ~FrameSession() = default;
  /// A whole frame, head included; `frame` holds during the call only. Runs on the connection's
  /// thread and must not wait.
  virtual void serve(std::string_view frame, Reply reply) = 0;
  /// Where the server's `length` is empty: the length of the frame at the front of `bytes`, all
  /// that has come; 0 when it takes more of them to tell. An Error closes the connection.
  virtual Result<std::size_t> frame_length(std::string_view bytes);
  /// The largest frame it takes now, where that is less than the server's limit.
  virtual std::size_t most_frame_bytes() const { return SIZE_MAX; }
};

/// Who is at the other end.
struct Peer {
  std::string address;  ///< "127.0.0.1"
  std::uint16_t port = 0;
  bool secure = false;  ///< through TLS
  std::string subject;  ///< of its certificate (peer_subject); empty: it showed none
};

/// What becomes of a connection that was just made.
struct Admission {
  /// Before it is served, and before any after it is taken.
  std::chrono::milliseconds wait{0};
  /// It is not served at all but closed, so much later.
  std::optional<std::chrono::milliseconds> refused = {};
};

struct FrameServerConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0 picks a free port
  /// The flag a user changes the address with, for the line about a taken port.
  std::string flag;
  /// What the door is called in the log.
  std::string name;
  int threads = 1;
  FrameLimits limits = {};
  std::shared_ptr<const Tls> tls = {};  ///< nullptr: plain sockets
  /// Off: answers leave as they come. Manner's delay and pause are for ordered ones.
  bool ordered = true;
  /// Bytes at the start of a frame that tell its length.
  std::size_t head_bytes = 4;
  /// The whole length of a frame, head included, from its head; an Error closes the connection.
  /// Empty: the session tells it.
  std::function<Result<std::size_t>(std::string_view head)> length = {};
  /// Asked of every new connection, on one thread; empty: all are served at once.
  std::function<Admission(const Peer&)> admit = {};
  /// A session for a new connection, on its thread.
  std::function<std::unique_ptr<FrameSession>(const Peer&)> open = {};
};

class FrameServer {
 public:
  /// Binds and serves; errors as HttpServer::start.
  static Result<std::unique_ptr<FrameServer>> start(FrameServerConfig config);
  ~FrameServer();
  FrameServer(const FrameServer&) = delete;
  FrameServer& operator=(const FrameServer&) = delete;

  std::uint16_t port() const;
  std::size_t connections() const;
  /// Stops accepting and reading, waits up to `drain` for answers on their way, closes. Replies of
  /// other threads may come later and go nowhere, but not during or after the destructor.
  void stop();

 private:
  friend class Connection;
  struct Impl;
  explicit FrameServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::net
