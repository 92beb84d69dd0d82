#include "net/frame_client.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "net/frame_input.h"
#include "net/secured.h"

namespace tailrace::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// Why a connection could not be made or has ended, without Asio's words for it.
std::string why(const error_code& failed) {
  if (failed == asio::error::eof) return "the other side closed the connection";
  if (failed == asio::error::host_not_found || failed == asio::error::host_not_found_try_again)
    return "no such host";
  return failed.message();
}

class Link final : public std::enable_shared_from_this<Link> {
 public:
  Link(asio::io_context& io, const FrameClientConfig& config, std::string host,
       std::shared_ptr<const Tls> tls, std::shared_ptr<FrameListener> listener)
      : config_(config),
        host_(std::move(host)),
        tls_(std::move(tls)),
        listener_(std::move(listener)),
        resolver_(io),
        timer_(io),
        stream_(tcp::socket(io), tls_.get(), host_) {}

  void start(std::uint16_t port, std::chrono::milliseconds patience) {
    timer_.expires_after(patience);
    timer_.async_wait([self = shared_from_this()](error_code stopped) {
      if (!stopped && !self->made_)
        self->fail({Code::kDeadlineExceeded, "it does not answer the connection"});
    });
    resolver_.async_resolve(
        host_, std::to_string(port),
        [self = shared_from_this()](error_code failed, const tcp::resolver::results_type& found) {
          if (failed) return self->fail({Code::kUnavailable, why(failed)});
          self->reach(found);
        });
  }

  void send(std::string_view bytes) {
    if (!listener_) return;
    waiting_.append(bytes);
    if (!writing_) write();
  }

  void close() {
    listener_.reset();
    error_code ignored;
    resolver_.cancel();
    timer_.cancel();
    stream_.lower().close(ignored);
  }

 private:
  void fail(Error error) {
    const auto listener = std::exchange(listener_, nullptr);
    close();
    if (listener) listener->closed(error);
  }

  void reach(const tcp::resolver::results_type& found) {
    if (!listener_) return;
    asio::async_connect(stream_.lower(), found,
                        [self = shared_from_this()](error_code failed, const tcp::endpoint&) {
                          if (failed) return self->fail({Code::kUnavailable, why(failed)});
                          self->reached();
                        });
  }

  void reached() {
    if (!listener_) return;
    error_code ignored;
    stream_.lower().set_option(tcp::no_delay(true), ignored);
    stream_.async_handshake(
        [self = shared_from_this()](error_code failed) { self->shaken(failed); });
  }

  void shaken(error_code failed) {
    if (!listener_) return;
    if (failed) {
      const auto verified = SSL_get_verify_result(stream_.handle());
      return fail({Code::kPermissionDenied,
                   fmt::format("TLS handshake: {}",
                               verified == X509_V_OK ? why(failed)
                                                     : X509_verify_cert_error_string(verified))});
    }
    made_ = true;
    timer_.cancel();
    const auto held = listener_;  // it may close this
    held->connected();
    read();
  }

  void read() {
    if (!listener_) return;
    stream_.async_read_some(input_.space(),
                            [self = shared_from_this()](error_code failed, std::size_t size) {
                              if (failed) return self->fail({Code::kUnavailable, why(failed)});
                              self->input_.add(size);
                              if (self->serve()) self->read();
                            });
  }

  /// Hands over the whole frames; false when the connection has ended.
  bool serve() {
    for (;;) {
      const std::string_view bytes = input_.bytes();
      if (bytes.size() < config_.head_bytes) return true;
      const auto length = config_.length(bytes);
      if (!length) {
        fail(length.error());
        return false;
      }
      if (*length > config_.frame_bytes) {
        fail({Code::kInvalidArgument, fmt::format("a frame of {} bytes; at most {} are taken",
                                                  *length, config_.frame_bytes)});
        return false;
      }
      if (bytes.size() < *length) return true;
      const auto held = listener_;  // it may close this
      held->received(bytes.substr(0, *length));
      if (!listener_) return false;
      input_.drop(*length);
    }
  }

  void write() {
    writing_ = true;
    std::swap(written_, waiting_);
    asio::async_write(stream_, asio::buffer(written_),
                      [self = shared_from_this()](error_code failed, std::size_t) {
                        self->written_.clear();
                        self->writing_ = false;
                        if (failed) return self->fail({Code::kUnavailable, why(failed)});
                        if (!self->waiting_.empty() && self->listener_) self->write();
                      });
  }

  const FrameClientConfig& config_;
  std::string host_;
  std::shared_ptr<const Tls> tls_;
  std::shared_ptr<FrameListener> listener_;  ///< nullptr: closed
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  Secured<tcp::socket> stream_;
  bool made_ = false;
  FrameInput input_;
  bool writing_ = false;
  std::string waiting_, written_;
};

/// What the outside holds: a Link is its own, and must not outlive the client.
class Handle final : public FrameLink {
 public:
  explicit Handle(std::weak_ptr<Link> link) : link_(std::move(link)) {}
  void send(std::string_view bytes) override {
    if (const auto link = link_.lock()) link->send(bytes);
  }
  void close() override {
    if (const auto link = link_.lock()) link->close();
  }

 private:
  std::weak_ptr<Link> link_;
};

}  // namespace

struct FrameClient::Impl {
  explicit Impl(FrameClientConfig given) : config(std::move(given)) {}

  FrameClientConfig config;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::vector<std::weak_ptr<Link>> links;  // its thread
  std::thread thread;

  void start(const std::shared_ptr<Link>& link, std::uint16_t port,
             std::chrono::milliseconds patience) {
    std::erase_if(links, [](const auto& one) { return one.expired(); });
    links.push_back(link);
    link->start(port, patience);
  }

  /// Links and listeners hold each other until they are closed.
  void stop() {
    for (const auto& one : links)
      if (const auto link = one.lock()) link->close();
    io.stop();
  }

  void run() {
    pthread_setname_np(pthread_self(), config.name.c_str());
    while (!io.stopped()) {
      try {
        io.run();
      } catch (const std::exception& surprise) {
        LOG(error, "{}: {}", config.name, surprise.what());
      }
    }
  }
};

FrameClient::FrameClient(FrameClientConfig config)
    : impl_(std::make_unique<Impl>(std::move(config))) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

FrameClient::~FrameClient() {
  asio::post(impl_->io, [impl = impl_.get()] { impl->stop(); });
  impl_->thread.join();
}

std::shared_ptr<FrameLink> FrameClient::connect(const std::string& host, std::uint16_t port,
                                                std::shared_ptr<const Tls> tls,
                                                std::chrono::milliseconds patience,
                                                std::shared_ptr<FrameListener> listener) {
  const auto link =
      std::make_shared<Link>(impl_->io, impl_->config, host, std::move(tls), std::move(listener));
  asio::post(impl_->io,
             [impl = impl_.get(), link, port, patience] { impl->start(link, port, patience); });
  return std::make_shared<Handle>(link);
}

void FrameClient::post(std::function<void()> task) {
  asio::post(impl_->io, std::move(task));
}

void FrameClient::after(std::chrono::milliseconds wait, std::function<void()> task) {
  auto timer = std::make_shared<asio::steady_timer>(impl_->io, wait);
  timer->async_wait([timer, task = std::move(task)](error_code stopped) {
    if (!stopped) task();
  });
}

}  // namespace tailrace::net
