#include "connect/syslog_source.h"

#include <fmt/format.h>

#include "connect/listeners.h"
#include "connect/options.h"
#include "connect/syslog_message.h"
#include "rt/clock.h"

namespace tailrace::connect {
namespace {

constexpr OptionRow kOptions[] = {
    {"listen", "needed", kListenOption},
    {"transports", "udp,tcp",
     "`udp`, `tcp` (with tls.certificate: TLS alone), or both at one port"},
    {"zone", "UTC", "of times that do not say theirs (RFC 3164): `Europe/Berlin`, `+02:00`"},
    {"max_message", "64KiB", "a longer one is a reject with its first bytes"},
    {"connections", "256", "at most so many at once; more are refused"},
    {"idle", "1d", "a connection is closed when nothing came for so long"},
    {"held", "4MiB", "so much of datagrams the system is asked to hold until they are read"},
    {"tls.certificate", "", kCertificateOption},
    {"tls.key", "", kTlsKeyOption},
    {"tls.clients", "", kTlsClientsOption},
};

Decode syslog_decode(Options& options, rt::Clock& clock) {
  auto zone = calendar::Zone::find(options.text("zone"));
  if (!zone) options.fail("zone", zone.error().what);
  auto key = JsonPath::parse(options.text("key"));
  if (!key) options.fail("key", key.error().what);
  if (!zone || !key) return {};
  return [zone = *zone, key = *key, &clock](std::string_view message, std::string_view problem,
                                            const Whence& whence, Delivery& delivery) {
    if (!problem.empty()) return add_reject(delivery, "incomplete", problem, whence, message);
    auto parsed = parse_syslog(message, clock.now().value, zone);
    if (!parsed) return add_reject(delivery, "bad syslog", parsed.error().what, whence, message);
    Delivery::Item item;
    item.value = std::move(*parsed);
    item.value += ",\"from\":";
    append_json_string(item.value, whence.from);
    item.value += '}';
    if (!key.is_root()) item.key = key.find(item.value);
    delivery.items.push_back(std::move(item));
  };
}

class Both final : public Receiver {
 public:
  Both(std::unique_ptr<Receiver> first, std::unique_ptr<Receiver> second)
      : first_(std::move(first)), second_(std::move(second)) {}
  Status start(Inbox& inbox) override {
    TRY(first_->start(inbox));
    auto started = second_->start(inbox);
    if (!started) first_->stop();
    return started;
  }
  void stop() override {
    first_->stop();
    second_->stop();
  }
  std::string state() const override { return first_->state() + "; " + second_->state(); }

 private:
  const std::unique_ptr<Receiver> first_, second_;
};

Result<std::unique_ptr<Source>> make(const SourceSpec& spec) {
  Options options(spec, kOptions);
  const HostPort at = options.address("listen");
  const auto max_bytes = static_cast<std::size_t>(options.size_bytes("max_message", 480, 64 << 20));
  const Decode decode = syslog_decode(options, rt::system_clock());
  TcpListenerConfig tcp{
      .name = spec.name,
      .at = at,
      .connections = static_cast<std::size_t>(options.number("connections", 1, 100'000)),
      .idle = std::chrono::milliseconds(options.duration_ms("idle")),
      .tls = tls_of(options)};
  const auto held = static_cast<std::size_t>(options.size_bytes("held", 4096, 1 << 30));
  bool with_udp = false, with_tcp = false;
  for (const std::string& word : options.words("transports")) {
    if (word != "udp" && word != "tcp")
      options.fail("transports", fmt::format("\"{}\" is neither udp nor tcp", word));
    (word == "udp" ? with_udp : with_tcp) = true;
  }
  if (tcp.tls && !options.given("transports")) with_udp = false;
  if (!with_udp && !with_tcp) options.fail("transports", "udp, tcp or both");
  if (with_udp && with_tcp && at.port == 0)
    options.fail("listen", "port 0 would be two ports; name one, or one of `transports`");
  TRY(options.finish());
  std::unique_ptr<Receiver> receiver;
  if (with_tcp) {
    Decoding decoding{.framing = [max_bytes] { return syslog_framing(max_bytes); },
                      .decode = decode};
    receiver = tcp_listener(std::move(tcp), std::move(decoding));
  }
  if (with_udp) {
    auto udp = udp_listener({.name = spec.name, .at = at, .held_bytes = held}, decode);
    receiver =
        receiver ? std::make_unique<Both>(std::move(receiver), std::move(udp)) : std::move(udp);
  }
  PushedConfig pushed{
      .name = spec.name, .describe = "syslog at " + options.text("listen"), .ids_folder = ""};
  return pushed_source(std::move(pushed), std::make_shared<Inbox>(), std::move(receiver));
}

}  // namespace

constinit const SourceType kSyslogSource{
    .type = "syslog",
    .what = "is a syslog server: RFC 5424 and RFC 3164 over UDP, TCP and TLS, each message as JSON",
    .options = kOptions,
    .make = make,
    .can_be_sampled = false,
};

}  // namespace tailrace::connect
