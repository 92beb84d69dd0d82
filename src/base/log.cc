#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>

#include "base/log_format.h"

namespace tailrace {
namespace {

constexpr const char* kTextPattern = "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v";

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_color_mt("tailrace");
    made->set_pattern(kTextPattern);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Of lines that are JSON already.
std::atomic<bool> as_json = false;

}  // namespace

void set_log_format(LogFormat format) {
  as_json = format == LogFormat::kJson;
  logger().set_pattern(as_json ? "%v" : kTextPattern);
}

void set_log_level(LogLevel level) {
  logger().set_level(to_spdlog(level));
}

bool log_enabled(LogLevel level) {
  return logger().should_log(to_spdlog(level));
}

void log_line(LogLevel level, std::string_view room, const std::string& line,
              const LogFields& fields) {
  if (!as_json) return logger().log(to_spdlog(level), line);
  logger().log(to_spdlog(level),
               json_log_line(level, std::chrono::system_clock::now(), room, line, fields));
}

}  // namespace tailrace
