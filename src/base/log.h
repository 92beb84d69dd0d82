// Diagnostics to standard error. LOG(info, "recovered {} segments", n): levels debug, info, warn,
// error.
//
// Never pass a secret. Colours appear only on a terminal.
#pragma once

#include <fmt/format.h>

#include <string>

namespace tailrace {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
void log_line(LogLevel level, const std::string& line);

namespace log_levels {
inline constexpr LogLevel debug = LogLevel::kDebug;
inline constexpr LogLevel info = LogLevel::kInfo;
inline constexpr LogLevel warn = LogLevel::kWarn;
inline constexpr LogLevel error = LogLevel::kError;
}  // namespace log_levels

}  // namespace tailrace

#define LOG(level, ...)                                                                \
  do {                                                                                 \
    if (::tailrace::log_enabled(::tailrace::log_levels::level))                        \
      ::tailrace::log_line(::tailrace::log_levels::level, ::fmt::format(__VA_ARGS__)); \
  } while (false)
