#include "kafka/door.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "kafka/keystores.h"
#include "kafka/session.h"
#include "net/address.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kHeadBytes = 4;

Result<std::size_t> frame_length(std::string_view head) {
  const auto size = load_be<std::int32_t>(head.data());
  if (head.starts_with("\x16\x03")) {
    return error(Code::kInvalidArgument, "a client that speaks TLS, at a port that does not");
  }
  if (size < 0) return error(Code::kInvalidArgument, fmt::format("a request of {} bytes", size));
  return kHeadBytes + static_cast<std::size_t>(size);
}

net::FrameServerConfig server_config(const BrokerConfig& config,
                                     const std::shared_ptr<Listener>& listener, Broker& broker) {
  net::FrameServerConfig server;
  server.host = listener->at.host;
  server.port = static_cast<std::uint16_t>(listener->at.port);
  server.flag = listener->flag;
  server.name = "kafka";
  server.threads = config.network_threads;
  server.limits.frame_bytes = config.request_max_bytes + kHeadBytes;
  server.limits.connections = config.max_connections;
  server.limits.idle = config.idle;
  server.limits.unsent_bytes = 1 << 20;  // a client has one large answer at a time
  server.tls = listener->tls;
  server.head_bytes = kHeadBytes;
  server.length = frame_length;
  server.admit = [&broker, listener](const net::Peer& peer) {
    return broker.connection_rates().admit(*listener, peer.address, auth::Quotas::now());
  };
  server.open = [&broker, listener](const net::Peer& peer) {
    return std::make_unique<Session>(broker, listener, peer);
  };
  return server;
}

}  // namespace

Result<std::unique_ptr<Door>> Door::start(log::Log& log, BrokerConfig config, std::string folder,
                                          SchemaIds* registry) {
  ASSIGN(auto listeners, listeners_of(config));
  std::unique_ptr<Door> door(new Door());
  ASSIGN(door->broker_, Broker::open(log, std::move(config), std::move(folder), registry));
  Broker& broker = *door->broker_;
  door->metrics_ = std::make_unique<BrokerMetrics>(broker);
  std::vector<std::shared_ptr<Listener>> shared;
  for (auto& one : listeners) shared.push_back(std::make_shared<Listener>(std::move(one)));
  // Known before the first connection is served.
  broker.set_listeners(shared);
  read_certificates_again(broker);
  for (const auto& listener : shared) {
    ASSIGN(auto server, net::FrameServer::start(server_config(broker.config(), listener, broker)));
    // Only a port that was just picked is not known yet, and nobody can have come to it.
    if (listener->at.port == 0) listener->at.port = server->port();
    if (listener->advertised.port == 0) listener->advertised.port = listener->at.port;
    door->servers_.push_back(std::move(server));
  }
  return door;
}

Door::~Door() {
  stop();
}

std::string Door::address() const {
  const auto& first = broker_->listeners().front()->at;
  return net::address_text(first.host, first.port);
}

std::string Door::listeners() const {
  std::string all;
  for (const auto& one : broker_->listeners())
    all += (all.empty() ? "" : ", ") + one->text(one->at);
  return all;
}

void Door::write_metrics(MetricsText& out) {
  BrokerMetrics::Connections connections;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    connections.emplace_back(broker_->listeners()[i]->name, servers_[i]->connections());
  }
  metrics_->write(out, connections);
}

void Door::stop() {
  // Those that wait would keep the server waiting; answers of others are still on their way.
  if (broker_) broker_->parking().stop();
  // Its members' connections end with the broker, not with them.
  if (broker_) broker_->share().stop();
  for (const auto& server : servers_) server->stop();
  if (broker_) broker_->stop();
  servers_.clear();
}

}  // namespace tailrace::kafka
