// One connection to one node: version 4 of the native protocol, requests on streams, answers in any
// order. All on the thread of its net::FrameClient.
//
// Order of calls: open() → `ready` is told once → ask() … → close(). When it ends by itself, every
// request that waits is told why, and then `ended`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cql_client/config.h"
#include "cql_protocol/messages.h"
#include "net/frame_client.h"

namespace tailrace::cql_client {

/// The server's answer (a refusal is one: cql_types::Failure), or why there is none.
using OnAnswer = std::function<void(Result<cql_protocol::ServerMessage>)>;

class Connection final : public net::FrameListener,
                         public std::enable_shared_from_this<Connection> {
 public:
  struct Listener {
    /// Whether it can be used; kPermissionDenied: the server does not take user or certificate.
    std::function<void(Status)> ready;
    std::function<void(const Error&)> ended;  ///< after it was ready
    std::function<void(const cql_protocol::Event&)> event;
  };
  using Clock = std::chrono::steady_clock;

  Connection(Endpoint to, const ClientConfig& config, Listener listener)
      : to_(std::move(to)), config_(config), listener_(std::move(listener)) {}

  void open(net::FrameClient& client, const std::shared_ptr<const net::Tls>& tls);
  /// Tells nobody anything any more.
  void close();
  void ask(const cql_protocol::Request& request, std::chrono::milliseconds patience,
           OnAnswer answer);
  /// Ends the connection when a request has waited too long.
  void check(Clock::time_point now);
  std::size_t waiting() const { return waiting_.size(); }
  /// Since when an answer is awaited and nothing at all has come; now where none is.
  Clock::time_point silent_since(Clock::time_point now) const;

  void connected() override;
  void received(std::string_view frame) override;
  void closed(const Error& why) override;

 private:
  struct Waiting {
    OnAnswer answer;
    Clock::time_point asked, until;
  };
  void shake(Result<cql_protocol::ServerMessage> answer);
  void fail(const Error& why);

  Endpoint to_;
  const ClientConfig& config_;
  Listener listener_;
  std::shared_ptr<net::FrameLink> link_;
  bool ready_ = false;
  std::unordered_map<std::int16_t, Waiting> waiting_;
  std::vector<std::int16_t> free_;  ///< streams that were used and are free
  std::int16_t next_stream_ = 0;
  Clock::time_point heard_;
  std::string out_;  ///< it keeps its memory
};

/// Frames of the protocol, for a net::FrameClient.
net::FrameClientConfig frames();

}  // namespace tailrace::cql_client
