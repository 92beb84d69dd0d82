// A port whose datagrams are messages. A thread reads them in batches; while the inbox is full it
// does not, and the system drops what it cannot hold.
#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "base/log.h"
#include "connect/listeners.h"
#include "net/udp_socket.h"

namespace tailrace::connect {
namespace {

constexpr std::chrono::milliseconds kLook{100};
constexpr std::chrono::seconds kWarnEvery{10};

class UdpListener final : public Receiver {
 public:
  UdpListener(UdpListenerConfig config, Decode decode)
      : config_(std::move(config)), decode_(std::move(decode)) {}
  ~UdpListener() override { stop(); }

  Status start(Inbox& inbox) override {
    ASSIGN(socket_, net::UdpSocket::bind(config_.at.host, config_.at.port, config_.held_bytes,
                                         "the option listen:"));
    thread_ = std::jthread([this, &inbox](std::stop_token stop) { loop(inbox, stop); });
    return {};
  }
  void stop() override { thread_ = {}; }
  std::string state() const override {
    const std::uint64_t dropped = dropped_;
    return fmt::format("listening at udp {}:{}{}", config_.at.host, socket_->port(),
                       dropped == 0 ? ""
                                    : fmt::format(", {} datagrams dropped by the system: they came "
                                                  "faster than they were written",
                                                  dropped));
  }

 private:
  void loop(Inbox& inbox, const std::stop_token& stop);
  void count_drops();

  const UdpListenerConfig config_;
  const Decode decode_;
  std::unique_ptr<net::UdpSocket> socket_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::uint64_t warned_ = 0;
  std::chrono::steady_clock::time_point warned_at_;
  std::int64_t number_ = 0;
  std::jthread thread_;
};

void UdpListener::loop(Inbox& inbox, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Delivery delivery;
    const auto got =
        socket_->receive(kLook, [&](std::string_view datagram, const std::string& from) {
          const Whence whence{.place = "udp " + from, .from = from, .number = ++number_};
          decode_(datagram, "", whence, delivery);
        });
    count_drops();
    if (!got) {
      LOG_OF(warn, log_of("source", config_.name), "ingest {}: {}", config_.name, got.error().what);
      std::this_thread::sleep_for(kLook);
    }
    if (delivery.items.empty() && delivery.rejects.empty()) continue;
    if (!inbox.put(std::move(delivery), stop)) return;
  }
}

void UdpListener::count_drops() {
  dropped_ = socket_->dropped();
  const auto now = std::chrono::steady_clock::now();
  if (dropped_ == warned_ || now - warned_at_ < kWarnEvery) return;
  LOG_OF(warn, log_of("source", config_.name),
         "ingest {}: {} datagrams dropped by the system so far", config_.name, dropped_.load());
  warned_ = dropped_;
  warned_at_ = now;
}

}  // namespace

std::unique_ptr<Receiver> udp_listener(UdpListenerConfig config, Decode decode) {
  return std::make_unique<UdpListener>(std::move(config), std::move(decode));
}

}  // namespace tailrace::connect
