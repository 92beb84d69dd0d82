#include "connect/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/check.h"
#include "base/edit_distance.h"
#include "net/address.h"

namespace tailrace::connect {
namespace {

constexpr std::string_view kNeeded = "needed";

template <typename T>
bool parse(std::string_view text, T& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size();
}

/// "headers.NAME" of a table stands for "headers.Accept".
bool stands_for(std::string_view row, std::string_view name) {
  const auto dot = row.rfind(".NAME");
  return dot != std::string_view::npos && dot + 5 == row.size() &&
         name.starts_with(row.substr(0, dot + 1)) && name.size() > dot + 1;
}

}  // namespace

const OptionRow& Options::row(const std::string& name) const {
  for (const std::span<const OptionRow> rows : {rows_, shared_options()})
    for (const OptionRow& one : rows)
      if (one.name == name) return one;
  CHECK(!"an option that is in a table");
  std::abort();
}

const std::string* Options::find(const std::string& name) const {
  row(name);
  const auto found = spec_.options.find(name);
  return found == spec_.options.end() ? nullptr : &found->second;
}

void Options::fail(const std::string& name, const std::string& what) {
  if (status_)
    status_ = error(Code::kInvalidArgument,
                    fmt::format("ingest {}: option {}: {}", spec_.name, name, what));
}

std::optional<std::string> Options::given(const std::string& name) {
  const std::string* given = find(name);
  return given ? std::optional(*given) : std::nullopt;
}

std::string Options::text(const std::string& name) {
  const std::string* given = find(name);
  if (given) return *given;
  const std::string_view fallback = row(name).fallback;
  return fallback == kNeeded ? "" : std::string(fallback);
}

std::string Options::path(const std::string& name) {
  const std::string* given = find(name);
  if (!given || given->empty()) return "";
  return given->starts_with('/') ? *given : spec_.folder + "/" + *given;
}

std::int64_t Options::number(const std::string& name, std::int64_t low, std::int64_t high,
                             std::int64_t none) {
  const std::string given = text(name);
  if (given == "none" || given.empty()) return none;
  std::int64_t value = 0;
  if (!parse(given, value) || value < low || value > high)
    fail(name, fmt::format("\"{}\" is no whole number from {} to {}", given, low, high));
  return value;
}

std::int64_t Options::size_bytes(const std::string& name, std::int64_t low, std::int64_t high) {
  const std::string given = text(name);
  std::string_view digits = given;
  std::int64_t unit = 1;
  for (const auto& [suffix, bytes] :
       {std::pair{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}})
    if (digits.ends_with(suffix)) unit = bytes;
  if (unit > 1) digits.remove_suffix(3);
  while (unit > 1 && digits.ends_with(' ')) digits.remove_suffix(1);
  std::int64_t value = 0;
  if (!parse(digits, value) || value < 0 || value > high / unit || value * unit < low)
    fail(name, fmt::format("\"{}\" is no size from {} to {} bytes: write 65536, 64KiB or 1MiB",
                           given, low, high));
  return value * unit;
}

double Options::rate(const std::string& name) {
  const std::string given = text(name);
  if (given == "none" || given == "max") return 0;
  double value = 0;
  std::string_view digits = given;
  if (digits.ends_with("/s")) digits.remove_suffix(2);
  if (!parse(digits, value) || !(value >= 0) || value > 1e9)
    fail(name, fmt::format("\"{}\" is no rate in records a second", given));
  return value;
}

double Options::fraction(const std::string& name) {
  const std::string given = text(name);
  double value = 0;
  if (!parse(given, value) || !(value >= 0) || value > 1)
    fail(name, fmt::format("\"{}\" is no fraction from 0 to 1", given));
  return value;
}

std::int64_t Options::duration_ms(const std::string& name) {
  const std::string text = this->text(name);
  if (text == "none") return 0;
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, text.data() + text.size() - end);
  const double scale = unit == "ms"                  ? 1
                       : unit == "s" || unit.empty() ? 1e3
                       : unit == "m"                 ? 60e3
                       : unit == "h"                 ? 3600e3
                       : unit == "d"                 ? 86400e3
                                                     : -1;
  if (failure != std::errc() || scale < 0 || !(value >= 0) || value * scale > 366 * 86400e3) {
    fail(name, fmt::format("\"{}\" is no duration: write 250ms, 10s, 5m, 2h or 1d", text));
    return 0;
  }
  return static_cast<std::int64_t>(std::llround(value * scale));
}

bool Options::truth(const std::string& name) {
  return choice(name, {"false", "true"}) == 1;
}

std::size_t Options::choice(const std::string& name,
                            std::initializer_list<std::string_view> words) {
  const std::string given = text(name);
  const auto found = std::ranges::find(words, given);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  fail(name, fmt::format("\"{}\" is not one of {}", given, fmt::join(words, ", ")));
  return 0;
}

std::vector<std::string> Options::words(const std::string& name) {
  const std::string given = text(name);
  std::vector<std::string> found;
  for (std::string_view rest = given; !rest.empty();) {
    const auto comma = rest.find(',');
    std::string_view one = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty()) found.emplace_back(one);
  }
  return found;
}

HostPort Options::address(const std::string& name) {
  const std::string given = text(name);
  auto at = net::parse_address(given);
  if (!at || at->host.empty()) {
    fail(name, fmt::format("\"{}\" is not HOST:PORT, as 127.0.0.1:5514 is", given));
    return {};
  }
  return {.host = std::move(at->host), .port = at->port};
}

std::vector<std::pair<std::string, std::string>> Options::below(const std::string& prefix) {
  row(prefix + ".NAME");
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [name, value] : spec_.options)
    if (name.starts_with(prefix + ".")) found.emplace_back(name.substr(prefix.size() + 1), value);
  return found;
}

void Options::require(const std::string& name) {
  if (!find(name)) fail(name, "is needed");
}

bool Options::is_known(const std::string& name) const {
  for (const std::span<const OptionRow> rows : {rows_, shared_options()})
    for (const OptionRow& one : rows)
      if (one.name == name || stands_for(one.name, name)) return true;
  return false;
}

Status Options::finish() const {
  for (const auto& [name, value] : spec_.options) {
    if (is_known(name)) continue;
    std::string_view nearest;
    for (const std::span<const OptionRow> rows : {rows_, shared_options()})
      for (const OptionRow& one : rows)
        if (nearest.empty() || edit_distance(name, one.name) < edit_distance(name, nearest))
          nearest = one.name;
    return error(Code::kInvalidArgument,
                 fmt::format("ingest {}: {} has no option \"{}\"; did you mean \"{}\"? All of "
                             "them: tailrace sources {}",
                             spec_.name, spec_.type, name, nearest, spec_.type));
  }
  for (const OptionRow& one : rows_) {
    if (one.fallback == kNeeded && !spec_.options.contains(std::string(one.name)))
      return error(Code::kInvalidArgument, fmt::format("ingest {}: option {}: is needed: {}",
                                                       spec_.name, one.name, one.what));
  }
  return status_;
}

}  // namespace tailrace::connect
