#include "connect/tcp_source.h"

#include <fmt/format.h>

#include "connect/listeners.h"
#include "connect/options.h"

namespace tailrace::connect {
namespace {

constexpr OptionRow kOptions[] = {
    {"listen", "needed", kListenOption},
    {"format", "json", kFormatOption},
    {"max_line", "1MiB", "a longer line is a reject with its first bytes"},
    {"connections", "256", "at most so many at once; more are refused"},
    {"idle", "1h", "a connection is closed when nothing came for so long"},
    {"tls.certificate", "", kCertificateOption},
    {"tls.key", "", kTlsKeyOption},
    {"tls.clients", "", kTlsClientsOption},
};

Result<std::unique_ptr<Source>> make(const SourceSpec& spec) {
  Options options(spec, kOptions);
  TcpListenerConfig config;
  config.name = spec.name;
  config.at = options.address("listen");
  config.connections = static_cast<std::size_t>(options.number("connections", 1, 100'000));
  config.idle = std::chrono::milliseconds(options.duration_ms("idle"));
  config.tls = tls_of(options);
  const auto max_line = static_cast<std::size_t>(options.size_bytes("max_line", 1, 64 << 20));
  Decoding decoding{.framing = [max_line] { return line_framing(max_line); },
                    .decode = text_decode(options)};
  PushedConfig pushed{
      .name = spec.name, .describe = "lines by tcp at " + options.text("listen"), .ids_folder = ""};
  TRY(options.finish());
  return pushed_source(std::move(pushed), std::make_shared<Inbox>(),
                       tcp_listener(std::move(config), std::move(decoding)));
}

}  // namespace

constinit const SourceType kTcpSource{
    .type = "tcp",
    .what = "takes lines that others send over TCP",
    .options = kOptions,
    .make = make,
    .can_be_sampled = false,
};

}  // namespace tailrace::connect
