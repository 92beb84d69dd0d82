#include "connect/websocket_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "connect/listeners.h"
#include "connect/options.h"
#include "connect/secrets.h"
#include "net/web_socket.h"

namespace tailrace::connect {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr OptionRow kOptions[] = {
    {"url", "needed", "`ws://…` or `wss://…`"},
    {"send", "", "sent on each connection: a message, or a list of JSON messages, each in quotes"},
    {"format", "json", kFormatOption},
    {"token", "", "sent as `Authorization: Bearer …`: `${NAME}` or `file:PATH`"},
    {"headers.NAME", "", "of the handshake"},
    {"protocol", "", "Sec-WebSocket-Protocol, which the server must take"},
    {"ca_file", "", "PEM certificates to trust instead of the system's"},
    {"max_message", "1MiB", "a larger message is a reject with its first bytes"},
    {"ping", "20s", "so often the server is asked for a pong; `none`: never"},
    {"idle_timeout", "60s",
     "a connection on which nothing came for so long, no pong either, is dead"},
    {"timeout", "10s", "to connect and shake hands"},
    {"backoff", "500ms", "before it connects again; doubled each failure, half of it jitter"},
    {"backoff_max", "60s", "and at most so long"},
};

constexpr milliseconds kLook{100};
/// A connection on which no message came for so long has given all that there is for now.
constexpr milliseconds kQuiet{1000};
constexpr std::size_t kBatch = 1000;
constexpr std::size_t kBatchBytes = 1 << 20;

struct Config {
  std::string url;
  std::vector<std::string> greetings;
  net::WebSocketOptions socket;
  milliseconds ping{0}, idle{0}, backoff{0}, backoff_max{0};
  Decode decode;
  Secrets secrets;
};

class WebsocketReceiver final : public Receiver {
 public:
  explicit WebsocketReceiver(Config config) : config_(std::move(config)) {
    whence_.from = config_.secrets.shown_url(config_.url);
    whence_.place = whence_.from;
  }
  ~WebsocketReceiver() override { stop(); }

  Status start(Inbox& inbox) override {
    thread_ = std::jthread([this, &inbox](std::stop_token stop) { loop(inbox, stop); });
    return {};
  }
  void stop() override { thread_ = {}; }
  std::string trouble() const override {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }
  bool quiet() const override {
    const std::lock_guard lock(mutex_);
    return !trouble_.empty() || (connected_ && Steady::now() - message_at_ > kQuiet);
  }
  std::string state() const override {
    const std::lock_guard lock(mutex_);
    if (!connected_) return trouble_.empty() ? "connects" : trouble_;
    return fmt::format("connected{}",
                       connections_ == 1 ? "" : fmt::format(", {} times", connections_));
  }

 private:
  void loop(Inbox& inbox, const std::stop_token& stop);
  Status converse(Inbox& inbox, const std::stop_token& stop);
  Status take(net::WebSocket& socket, Inbox& inbox, const std::stop_token& stop);
  void add(const net::WebSocketMessage& message, Delivery& delivery);
  milliseconds pause();

  const Config config_;
  // The thread's own.
  Whence whence_;
  int failures_ = 0;
  std::mt19937 random_{std::random_device{}()};

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string trouble_;
  bool connected_ = false;
  std::int64_t connections_ = 0;
  Steady::time_point message_at_;
  std::jthread thread_;
};

void WebsocketReceiver::loop(Inbox& inbox, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Status ended = converse(inbox, stop);
    if (stop.stop_requested()) return;
    const milliseconds wait = pause();
    std::unique_lock lock(mutex_);
    connected_ = false;
    trouble_ = fmt::format("{}; connects again in {} s",
                           config_.secrets.shown_text(ended.error().what, config_.url),
                           static_cast<double>(wait.count()) / 1000);
    changed_.wait_for(lock, stop, wait, [] { return false; });
  }
}

/// Until the connection ends, with the reason.
Status WebsocketReceiver::converse(Inbox& inbox, const std::stop_token& stop) {
  net::WebSocketOptions options = config_.socket;
  options.stop = stop;
  ASSIGN(const auto socket, net::WebSocket::connect(config_.url, options));
  for (const std::string& greeting : config_.greetings) TRY(socket->send(greeting));
  {
    const std::lock_guard lock(mutex_);
    connected_ = true;
    ++connections_;
    trouble_.clear();
    message_at_ = Steady::now();
  }
  auto pinged = Steady::now();
  for (;;) {
    TRY(take(*socket, inbox, stop));
    const auto now = Steady::now();
    if (now - socket->heard() > config_.idle)
      return error(
          Code::kUnavailable,
          fmt::format("nothing came for {} s", static_cast<double>(config_.idle.count()) / 1000));
    if (config_.ping.count() > 0 && now - pinged > config_.ping) {
      TRY(socket->ping());
      pinged = now;
    }
  }
}

Status WebsocketReceiver::take(net::WebSocket& socket, Inbox& inbox, const std::stop_token& stop) {
  Delivery delivery;
  std::size_t bytes = 0;
  Status ended;
  for (std::size_t i = 0; i < kBatch && bytes < kBatchBytes; ++i) {
    auto message = socket.receive(i == 0 ? kLook : milliseconds(0));
    // What came before its end is taken all the same.
    if (!message) ended = std::unexpected(message.error());
    if (!message || !*message) break;
    bytes += (*message)->bytes.size();
    add(**message, delivery);
  }
  if (delivery.items.empty() && delivery.rejects.empty()) return ended;
  failures_ = 0;
  TRY(inbox.put(std::move(delivery), stop));
  const std::lock_guard lock(mutex_);
  message_at_ = Steady::now();
  return ended;
}

void WebsocketReceiver::add(const net::WebSocketMessage& message, Delivery& delivery) {
  ++whence_.number;
  const std::string problem =
      message.cut ? fmt::format("a message is longer than {} bytes; these are its first",
                                config_.socket.max_message_bytes)
                  : "";
  config_.decode(message.bytes, problem, whence_, delivery);
}

milliseconds WebsocketReceiver::pause() {
  const std::int64_t first = std::max<std::int64_t>(2, config_.backoff.count());
  const std::int64_t most =
      std::max(first, std::min(config_.backoff_max.count(), first << std::min(failures_, 20)));
  ++failures_;
  return milliseconds(most / 2 + std::uniform_int_distribution<std::int64_t>(0, most / 2)(random_));
}

Result<std::unique_ptr<Source>> make(const SourceSpec& spec) {
  Options options(spec, kOptions);
  Config config;
  config.url = options.text("url");
  config.secrets = Secrets(spec.secrets, config.url);
  config.greetings = websocket_greetings(options.text("send"));
  config.socket.headers = options.below("headers");
  if (const auto token = options.given("token"))
    config.socket.headers.emplace_back("Authorization", "Bearer " + *token);
  config.socket.protocol = options.text("protocol");
  config.socket.ca_file = options.path("ca_file");
  config.socket.connect_timeout_ms =
      static_cast<int>(std::clamp<std::int64_t>(options.duration_ms("timeout"), 1, 3'600'000));
  config.socket.max_message_bytes =
      static_cast<std::size_t>(options.size_bytes("max_message", 1, 64 << 20));
  config.ping = milliseconds(options.duration_ms("ping"));
  config.idle = milliseconds(options.duration_ms("idle_timeout"));
  config.backoff = milliseconds(options.duration_ms("backoff"));
  config.backoff_max = milliseconds(options.duration_ms("backoff_max"));
  config.decode = text_decode(options);
  const bool web = config.url.starts_with("ws://") || config.url.starts_with("wss://");
  if (options.given("url") && !web)
    options.fail("url", fmt::format("\"{}\" does not begin with ws:// or wss://",
                                    config.secrets.shown_url(config.url)));
  if (config.idle <= config.ping)
    options.fail("idle_timeout", "it must be longer than `ping`, or every quiet server is dead");
  PushedConfig pushed{
      .name = spec.name, .describe = config.secrets.shown_url(config.url), .ids_folder = ""};
  TRY(options.finish());
  return pushed_source(std::move(pushed), std::make_shared<Inbox>(),
                       std::make_unique<WebsocketReceiver>(std::move(config)));
}

}  // namespace

std::vector<std::string> websocket_greetings(const std::string& send) {
  if (send.empty()) return {};
  auto list = json_elements("[" + send + "]", JsonPath());
  return list && list->size() > 1 ? *list : std::vector<std::string>{send};
}

constinit const SourceType kWebsocketSource{
    .type = "websocket",
    .what = "connects to a WebSocket and takes its messages",
    .options = kOptions,
    .make = make,
    .can_be_sampled = false,
};

}  // namespace tailrace::connect
