#include "connect/stdin_source.h"

#include <fmt/format.h>

#include "connect/listeners.h"
#include "connect/options.h"

namespace tailrace::connect {
namespace {

constexpr OptionRow kOptions[] = {
    {"pipe", "", "a named pipe (mkfifo) instead of standard input; it has no end"},
    {"format", "json", kFormatOption},
    {"max_line", "1MiB", "a longer line is a reject with its first bytes"},
};

Result<std::unique_ptr<Source>> make(const SourceSpec& spec) {
  Options options(spec, kOptions);
  const std::string path = options.path("pipe");
  const auto max_line = static_cast<std::size_t>(options.size_bytes("max_line", 1, 64 << 20));
  Decoding decoding{.framing = [max_line] { return line_framing(max_line); },
                    .decode = text_decode(options)};
  PushedConfig pushed{.name = spec.name,
                      .describe = path.empty() ? "standard input" : path,
                      .ids_folder = "",
                      .ends = path.empty()};
  TRY(options.finish());
  return pushed_source(std::move(pushed), std::make_shared<Inbox>(),
                       pipe_reader(path.empty() ? "-" : path, std::move(decoding)));
}

}  // namespace

constinit const SourceType kStdinSource{
    .type = "stdin",
    .what = "reads lines: `producer | tailrace run PROJECT`",
    .options = kOptions,
    .make = make,
    .can_be_sampled = false,
};

}  // namespace tailrace::connect
