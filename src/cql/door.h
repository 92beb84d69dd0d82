// The CQL door: Cassandra's native protocol, versions 3 to 5 and the beta of 6, over an Engine.
//
// Order of calls: Door::start(engine, config) → port() … → stop() (or the destructor), while the
// engine lives. Threads: those of net::FrameServer run sockets and statements; answers come from
// any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "cql/authenticator.h"
#include "cql_query/engine.h"
#include "net/frame_server.h"
#include "net/tls.h"

namespace tailrace::cql {

struct DoorConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9042;  ///< 0 picks a free port
  std::string flag = "--listen";
  int threads = 0;  ///< of sockets and statements; 0: as many as the machine has cores, up to 16
  std::size_t connections = 10'000;
  std::size_t in_flight = 1024;  ///< requests of a connection; more are read when some are answered
  std::size_t frame_bytes = 16 << 20;    ///< of a message of versions 3 and 4, head included
  std::size_t message_bytes = 16 << 20;  ///< of a body of version 5
  /// Of messages that have come in part, all connections together; 64 KiB of each are free.
  std::size_t unfinished_bytes = 256 << 20;
  std::shared_ptr<const net::Tls> tls = {};
  /// Null: everybody is let in.
  std::shared_ptr<Authenticator> authenticator = {};
};

class Door {
 public:
  /// The engine is told where it listens. Errors as HttpServer::start.
  static Result<std::unique_ptr<Door>> start(cql_query::Engine& engine, DoorConfig config);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  std::uint16_t port() const;
  std::string address() const;  ///< "127.0.0.1:9042"
  std::size_t connections() const;
  /// tailrace_cql_…; any thread.
  void write_metrics(MetricsText& out) const;
  void stop();

 private:
  struct Impl;
  explicit Door(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::cql
