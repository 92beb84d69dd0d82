#include "connect/udp_source.h"

#include <fmt/format.h>

#include "connect/listeners.h"
#include "connect/options.h"

namespace tailrace::connect {
namespace {

constexpr OptionRow kOptions[] = {
    {"listen", "needed", kListenOption},
    {"format", "json", kFormatOption},
    {"held", "4MiB", "so much the system is asked to hold until it is read"},
};

Result<std::unique_ptr<Source>> make(const SourceSpec& spec) {
  Options options(spec, kOptions);
  UdpListenerConfig config;
  config.name = spec.name;
  config.at = options.address("listen");
  config.held_bytes = static_cast<std::size_t>(options.size_bytes("held", 4096, 1 << 30));
  const Decode decode = text_decode(options);
  // One datagram may hold lines, as a stream does.
  Decode lines = [decode](std::string_view datagram, std::string_view, const Whence& whence,
                          Delivery& delivery) {
    const auto framing = line_framing(datagram.size());
    const auto take = [&](std::string_view line, std::string_view problem) {
      decode(line, problem, whence, delivery);
    };
    framing->feed(datagram, take);
    framing->end(take);
  };
  PushedConfig pushed{.name = spec.name,
                      .describe = "datagrams at udp " + options.text("listen"),
                      .ids_folder = ""};
  TRY(options.finish());
  return pushed_source(std::move(pushed), std::make_shared<Inbox>(),
                       udp_listener(std::move(config), std::move(lines)));
}

}  // namespace

constinit const SourceType kUdpSource{
    .type = "udp",
    .what = "takes datagrams that others send; each line of one is a record",
    .options = kOptions,
    .make = make,
    .can_be_sampled = false,
};

}  // namespace tailrace::connect
