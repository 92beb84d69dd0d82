// What the messages of a connection ask for, in their order: STARTUP, a login, then statements.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cql/authenticator.h"
#include "cql/events.h"
#include "cql/line.h"
#include "cql/traces.h"
#include "cql/unfinished.h"
#include "cql_protocol/requests.h"
#include "cql_query/engine.h"
#include "net/frame_server.h"

namespace tailrace::cql {

/// What the connections of a door share.
struct Shared {
  cql_query::Engine& engine;
  Authenticator* authenticator = nullptr;  // null: everybody is let in
  std::uint64_t seed = 0;
  std::size_t frame_bytes = 16 << 20;    // most of a message of versions 3 and 4
  std::size_t message_bytes = 16 << 20;  // most of a body in segments
  Unfinished unfinished{256 << 20};
  std::shared_ptr<DoorMetrics> metrics = std::make_shared<DoorMetrics>();
  std::size_t faults = 1;  // in a row within a segment, before the connection ends
  Events events = {};
  std::shared_ptr<Traces> traces = std::make_shared<Traces>(engine, seed);
};

class Conversation {
 public:
  /// With a client at that address.
  Conversation(Shared& shared, std::string address)
      : shared_(shared),
        line_(std::make_shared<Line>(shared.metrics)),
        address_(std::move(address)) {}

  /// Serves a message whose head is in order. False: its body is not; that was answered, and with
  /// `last` the connection ends with it.
  bool serve(const cql_protocol::Head& head, std::string_view body, net::Reply reply,
             bool last = false);

  const Line& line() const { return *line_; }
  const Shared& shared() const { return shared_; }

 private:
  using Head = cql_protocol::Head;
  using Failure = cql_types::Failure;

  /// A message on its way through.
  struct Turn {
    const Head& head;
    std::string_view body;
    net::Reply reply;
    bool last = false;
    Clock::time_point since = Clock::now();
  };

  bool plain_body(Turn& turn);
  bool serve_first(Turn turn);
  bool start(Turn turn);
  bool log_in(Turn turn);
  void check(Credentials credentials, Turn turn);
  void enlist(Turn turn);
  /// Decodes into `request`, looks whether it is its time, and then serves it.
  template <typename Request, typename Serve>
  bool decoded(Request& request, Turn turn, Serve serve);
  bool out_of_turn(Turn& turn) const;
  /// How a request is answered; its name and parameters are for its trace, if it wants one.
  cql_query::Engine::Done done(Turn turn, std::string_view request,
                               const std::function<TraceParameters()>& parameters);
  bool refuse_body(Turn turn, Failure why) const;
  void tell(Turn turn, cql_protocol::ServerMessage message, bool close_after = false) const;

  Shared& shared_;
  std::shared_ptr<Line> line_;
  const std::string address_;
  std::string plain_;  // a body that came compressed
};

}  // namespace tailrace::cql
