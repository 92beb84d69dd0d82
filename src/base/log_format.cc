#include "base/log_format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/json_string.h"

namespace tailrace {
namespace {

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

}  // namespace

std::string json_log_line(LogLevel level, std::chrono::system_clock::time_point time,
                          std::string_view room, std::string_view message,
                          const LogFields& fields) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  std::string line = fmt::format(
      "{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}.{:03}Z\",\"level\":\"{}\",\"room\":\"{}\",\"message\":",
      fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (ms - seconds).count(),
      level_name(level), room);
  append_json_string(message, line);
  for (const LogField& field : fields) {
    line += fmt::format(",\"{}\":", field.name);
    if (const auto* number = std::get_if<std::int64_t>(&field.value))
      line += std::to_string(*number);
    else
      append_json_string(std::get<std::string>(field.value), line);
  }
  return line + '}';
}

}  // namespace tailrace
