#include "cql/door.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <thread>

#include "cql/session.h"
#include "cql_types/inet.h"

namespace tailrace::cql {

struct Door::Impl {
  DoorConfig config;
  Shared shared;
  std::unique_ptr<net::FrameServer> server;
  std::shared_ptr<void> listening;

  Impl(cql_query::Engine& engine, DoorConfig c)
      : config(std::move(c)),
        shared{.engine = engine,
               .authenticator = config.authenticator.get(),
               .seed = (std::uint64_t{std::random_device()()} << 32) | std::random_device()(),
               .frame_bytes = config.frame_bytes,
               .message_bytes = config.message_bytes,
               .unfinished = Unfinished(config.unfinished_bytes)} {}
};

namespace {

int threads_of(const DoorConfig& config) {
  constexpr int kMost = 16;
  if (config.threads > 0) return config.threads;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost);
}

net::FrameServerConfig server_config(const DoorConfig& config, Shared& shared) {
  net::FrameServerConfig server;
  server.host = config.host;
  server.port = config.port;
  server.flag = config.flag;
  server.name = "cql";
  server.threads = threads_of(config);
  server.tls = config.tls;
  server.ordered = false;
  // What is longer is dropped by the session, which answers so.
  server.limits.frame_bytes = 4 * std::max(config.frame_bytes, cql_protocol::kMostPayload);
  server.limits.connections = config.connections;
  server.limits.in_flight = config.in_flight;
  server.limits.unsent_bytes = 4 << 20;
  server.limits.idle = std::chrono::hours(24 * 365);  // as Cassandra: never
  server.open = [&shared](const net::Peer& peer) {
    return std::make_unique<Session>(shared, peer);
  };
  return server;
}

}  // namespace

Door::Door(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Door::~Door() {
  stop();
}

Result<std::unique_ptr<Door>> Door::start(cql_query::Engine& engine, DoorConfig config) {
  auto impl = std::make_unique<Impl>(engine, std::move(config));
  ASSIGN(impl->server, net::FrameServer::start(server_config(impl->config, impl->shared)));
  const auto address = cql_types::parse_inet(impl->config.host);
  engine.set_address(address.value_or(std::string("\x7F\0\0\1", 4)), impl->server->port());
  impl->listening =
      engine.listen([events = &impl->shared.events](const cql_protocol::SchemaChange& change) {
        events->tell(change);
      });
  return std::unique_ptr<Door>(new Door(std::move(impl)));
}

std::uint16_t Door::port() const {
  return impl_->server->port();
}

std::string Door::address() const {
  return fmt::format("{}:{}", impl_->config.host, port());
}

std::size_t Door::connections() const {
  return impl_->server->connections();
}

void Door::write_metrics(MetricsText& out) const {
  impl_->shared.metrics->write(out, connections());
}

void Door::stop() {
  impl_->listening.reset();
  impl_->server->stop();
  impl_->shared.traces->stop();
}

}  // namespace tailrace::cql
