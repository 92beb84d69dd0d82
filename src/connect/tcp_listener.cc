// A port whose connections are streams of messages. A connection's bytes are served as they come;
// nothing more of it is read until they are in the inbox.
#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"
#include "connect/listeners.h"
#include "net/frame_server.h"
#include "rt/file.h"

namespace tailrace::connect {
namespace {

constexpr std::chrono::milliseconds kDrain{200};
constexpr std::size_t kMaxPem = 16 << 20;

class TcpListener final : public Receiver {
 public:
  TcpListener(TcpListenerConfig config, Decoding decoding)
      : config_(std::move(config)), decoding_(std::move(decoding)) {}
  ~TcpListener() override { stop(); }

  Status start(Inbox& inbox) override;
  void stop() override;
  std::string state() const override {
    return fmt::format("listening at {}{}:{}, {} connections", config_.tls ? "tls " : "tcp ",
                       config_.at.host, server_->port(), server_->connections());
  }

  const Decoding& decoding() const { return decoding_; }
  /// Without a reply: a connection's last words.
  void hand_over(Delivery delivery, std::optional<net::Reply> reply);

 private:
  struct Waiting {
    Delivery delivery;
    std::optional<net::Reply> reply;
  };
  void pump(std::stop_token stop);

  const TcpListenerConfig config_;
  const Decoding decoding_;
  Inbox* inbox_ = nullptr;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Waiting> waiting_;
  std::unique_ptr<net::FrameServer> server_;
  std::jthread thread_;
};

class Session final : public net::FrameSession {
 public:
  Session(TcpListener& listener, const net::Peer& peer)
      : listener_(listener), framing_(listener.decoding().framing()) {
    whence_.from = fmt::format("{}:{}", peer.address, peer.port);
    whence_.place = "tcp " + whence_.from;
  }
  ~Session() override {
    Delivery last;
    framing_->end(taker(last));
    if (!last.items.empty() || !last.rejects.empty())
      listener_.hand_over(std::move(last), std::nullopt);
  }

  Result<std::size_t> frame_length(std::string_view bytes) override { return bytes.size(); }
  void serve(std::string_view bytes, net::Reply reply) override {
    Delivery delivery;
    framing_->feed(bytes, taker(delivery));
    if (delivery.items.empty() && delivery.rejects.empty()) return reply.send({});
    listener_.hand_over(std::move(delivery), std::move(reply));
  }

 private:
  Framing::Take taker(Delivery& delivery) {
    return [this, &delivery](std::string_view message, std::string_view problem) {
      ++whence_.number;
      listener_.decoding().decode(message, problem, whence_, delivery);
    };
  }

  TcpListener& listener_;
  const std::unique_ptr<Framing> framing_;
  Whence whence_;
};

Status TcpListener::start(Inbox& inbox) {
  inbox_ = &inbox;
  net::FrameServerConfig config;
  config.host = config_.at.host;
  config.port = config_.at.port;
  config.flag = "the option listen:";
  config.name = "ingest " + config_.name;
  config.limits.connections = config_.connections;
  config.limits.in_flight = 1;
  config.limits.idle = config_.idle;
  config.limits.drain = kDrain;
  config.tls = config_.tls;
  config.open = [this](const net::Peer& peer) { return std::make_unique<Session>(*this, peer); };
  ASSIGN(server_, net::FrameServer::start(std::move(config)));
  thread_ = std::jthread([this](std::stop_token stop) { pump(std::move(stop)); });
  return {};
}

void TcpListener::stop() {
  server_.reset();
  thread_ = {};
}

void TcpListener::hand_over(Delivery delivery, std::optional<net::Reply> reply) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({.delivery = std::move(delivery), .reply = std::move(reply)});
  }
  changed_.notify_all();
}

void TcpListener::pump(std::stop_token stop) {
  for (;;) {
    Waiting one;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      one = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (auto put = inbox_->put(std::move(one.delivery), stop); !put) return;
    if (one.reply) one.reply->send({});
  }
}

}  // namespace

std::unique_ptr<Receiver> tcp_listener(TcpListenerConfig config, Decoding decoding) {
  return std::make_unique<TcpListener>(std::move(config), std::move(decoding));
}

std::shared_ptr<const net::Tls> tls_of(Options& options) {
  const std::string certificate = options.path("tls.certificate"), key = options.path("tls.key"),
                    clients = options.path("tls.clients");
  if (certificate.empty() && key.empty() && clients.empty()) return nullptr;
  if (certificate.empty() || key.empty()) {
    options.fail("tls.certificate", "TLS needs tls.certificate and tls.key, each a PEM file");
    return nullptr;
  }
  net::TlsServerConfig config;
  for (const auto& [name, path, to] :
       {std::tuple{"tls.certificate", &certificate, &config.identity.certificates},
        {"tls.key", &key, &config.identity.key},
        {"tls.clients", &clients, &config.trusted}}) {
    if (path->empty()) continue;
    auto text = rt::read_whole(rt::posix_files(), *path, kMaxPem);
    if (!text) {
      options.fail(name, text.error().what);
      return nullptr;
    }
    *to = std::move(*text);
  }
  if (!config.trusted.empty()) config.clients = net::ClientCertificates::kRequired;
  auto made = net::Tls::server(config);
  if (!made) options.fail("tls.certificate", made.error().what);
  return made ? *made : nullptr;
}

}  // namespace tailrace::connect
