#include "kafka/door.h"

#include <fmt/format.h>

#include <charconv>

#include "base/bytes.h"
#include "kafka/session.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kHeadBytes = 4;

Result<Endpoint> parse_address(std::string_view address) {
  const auto colon = address.rfind(':');
  Endpoint endpoint;
  if (colon != std::string_view::npos) {
    endpoint.host = address.substr(0, colon);
    const auto* end = address.data() + address.size();
    const auto [rest, failure] = std::from_chars(address.data() + colon + 1, end, endpoint.port);
    if (failure == std::errc() && rest == end && endpoint.port >= 0 && endpoint.port < 65536 &&
        !endpoint.host.empty()) {
      return endpoint;
    }
  }
  return error(Code::kInvalidArgument, fmt::format("'{}' is not HOST:PORT", address));
}

Result<std::size_t> frame_length(std::string_view head) {
  const auto size = load_be<std::int32_t>(head.data());
  if (size < 0) return error(Code::kInvalidArgument, fmt::format("a request of {} bytes", size));
  return kHeadBytes + static_cast<std::size_t>(size);
}

net::FrameServerConfig server_config(const BrokerConfig& config, const Endpoint& at,
                                     Broker& broker) {
  net::FrameServerConfig server;
  server.host = at.host;
  server.port = static_cast<std::uint16_t>(at.port);
  server.flag = config.flag;
  server.name = "kafka";
  server.threads = config.network_threads;
  server.limits.frame_bytes = config.request_max_bytes + kHeadBytes;
  server.limits.connections = config.max_connections;
  server.limits.idle = config.idle;
  server.limits.unsent_bytes = 1 << 20;  // a client has one large answer at a time
  server.head_bytes = kHeadBytes;
  server.length = frame_length;
  server.open = [&broker](const net::Peer& peer) {
    return std::make_unique<Session>(broker, peer);
  };
  return server;
}

/// A listener of all addresses is reached by this machine's clients at the loopback one.
std::string reachable(const std::string& host) {
  return host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host;
}

}  // namespace

Result<std::unique_ptr<Door>> Door::start(log::Log& log, BrokerConfig config, std::string folder) {
  ASSIGN(const auto listen, parse_address(config.listen));
  std::unique_ptr<Door> door(new Door());
  door->host_ = listen.host;
  ASSIGN(door->broker_, Broker::open(log, config, std::move(folder)));
  Broker& broker = *door->broker_;
  door->metrics_ = std::make_unique<BrokerMetrics>(broker);
  if (!config.advertised.empty()) {
    ASSIGN(const auto advertised, parse_address(config.advertised));
    broker.set_endpoint(advertised);
  }
  auto server = server_config(broker.config(), listen, broker);
  // Known before the first connection is served.
  if (config.advertised.empty()) broker.set_endpoint({reachable(listen.host), listen.port});
  ASSIGN(door->server_, net::FrameServer::start(std::move(server)));
  // Only a port that was just picked is not known yet, and nobody can have come to it.
  if (config.advertised.empty() && listen.port == 0) {
    broker.set_endpoint({reachable(listen.host), door->server_->port()});
  }
  return door;
}

Door::~Door() {
  stop();
}

std::string Door::address() const {
  return fmt::format("{}:{}", host_, server_->port());
}

void Door::stop() {
  // Those that wait would keep the server waiting; answers of others are still on their way.
  if (broker_) broker_->parking().stop();
  if (server_) server_->stop();
  if (broker_) broker_->stop();
  server_.reset();
}

}  // namespace tailrace::kafka
