#include "connect/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/edit_distance.h"

namespace tailrace::connect {
namespace {

template <typename T>
bool parse(std::string_view text, T& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size();
}

}  // namespace

const std::string* Options::find(const std::string& name) {
  known_.insert(name);
  const auto found = spec_.options.find(name);
  return found == spec_.options.end() ? nullptr : &found->second;
}

void Options::fail(const std::string& name, const std::string& what) {
  if (status_)
    status_ = error(Code::kInvalidArgument,
                    fmt::format("ingest {}: option {}: {}", spec_.name, name, what));
}

std::string Options::text(const std::string& name, std::string fallback) {
  const std::string* given = find(name);
  return given ? *given : std::move(fallback);
}

std::string Options::path(const std::string& name) {
  const std::string* given = find(name);
  if (!given || given->empty()) return "";
  return given->starts_with('/') ? *given : spec_.folder + "/" + *given;
}

std::int64_t Options::number(const std::string& name, std::int64_t fallback, std::int64_t low,
                             std::int64_t high) {
  const std::string* given = find(name);
  if (!given || *given == "none") return fallback;
  std::int64_t value = 0;
  if (!parse(*given, value) || value < low || value > high)
    fail(name, fmt::format("\"{}\" is no whole number from {} to {}", *given, low, high));
  return value;
}

double Options::rate(const std::string& name, double fallback) {
  const std::string* given = find(name);
  if (!given) return fallback;
  if (*given == "none" || *given == "max") return 0;
  double value = 0;
  std::string_view digits = *given;
  if (digits.ends_with("/s")) digits.remove_suffix(2);
  if (!parse(digits, value) || !(value >= 0) || value > 1e9)
    fail(name, fmt::format("\"{}\" is no rate in records a second", *given));
  return value;
}

double Options::fraction(const std::string& name, double fallback) {
  const std::string* given = find(name);
  if (!given) return fallback;
  double value = 0;
  if (!parse(*given, value) || !(value >= 0) || value > 1)
    fail(name, fmt::format("\"{}\" is no fraction from 0 to 1", *given));
  return value;
}

std::int64_t Options::duration_ms(const std::string& name, const std::string& fallback) {
  const std::string* given = find(name);
  const std::string& text = given ? *given : fallback;
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

std::vector<std::pair<std::string, std::string>> Options::below(const std::string& prefix) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [name, value] : spec_.options) {
    if (!name.starts_with(prefix + ".")) continue;
    known_.insert(name);
    found.emplace_back(name.substr(prefix.size() + 1), value);
  }
  return found;
}

void Options::require(const std::string& name) {
  if (!find(name)) fail(name, "is needed");
}

Status Options::finish() const {
  if (!status_) return status_;
  for (const auto& [name, value] : spec_.options) {
    if (known_.contains(name)) continue;
    const auto nearest = std::min_element(known_.begin(), known_.end(), [&](auto& a, auto& b) {
      return edit_distance(name, a) < edit_distance(name, b);
    });
    return error(Code::kInvalidArgument,
                 fmt::format("ingest {}: {} has no option \"{}\"; did you mean \"{}\"?", spec_.name,
                             spec_.type, name, *nearest));
  }
  return {};
}

}  // namespace tailrace::connect
