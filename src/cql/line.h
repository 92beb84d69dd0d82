// What the requests of one connection share, and how their answers become bytes. It outlives the
// session while requests are under way.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cql/metrics.h"
#include "cql_protocol/answers.h"
#include "cql_protocol/compression.h"
#include "cql_protocol/frame.h"
#include "cql_query/engine.h"
#include "net/frame_server.h"

namespace tailrace::cql {

enum class Stage : std::uint8_t { kNew, kAuthenticating, kReady };

struct Line {
  explicit Line(std::shared_ptr<DoorMetrics> counted) : metrics(std::move(counted)) {}

  const std::shared_ptr<DoorMetrics> metrics;
  cql_query::Client client;
  /// Of the first STARTUP; 0 before it. What follows it does not change while requests are under
  /// way.
  int version = 0;
  cql_protocol::Compression compression = cql_protocol::Compression::kNone;
  bool segments = false;
  std::atomic<Stage> stage = Stage::kNew;
  /// Whether a login is being checked, or was right: there is one at a time, and none after that.
  std::atomic<bool> logging_in = false;
};

/// The request that an answer is for.
struct Origin {
  std::int16_t stream = 0;
  std::uint8_t opcode = 0;
  Clock::time_point since = {};
};

/// Sends a result or what failed. Any thread.
void send_answer(const Line& line, net::Reply reply, const Origin& origin,
                 std::string_view tracing_id, cql_types::Outcome<cql_protocol::Answer> outcome);

/// Sends any other message; of `head`, the request's, version, stream and opcode count. Any thread.
void send_message(const Line& line, net::Reply reply, cql_protocol::Head head,
                  Clock::time_point since, const cql_protocol::ServerMessage& message,
                  bool close_after = false);

/// An EVENT as this connection reads it.
std::string event_bytes(const Line& line, const cql_protocol::Event& event);

}  // namespace tailrace::cql
