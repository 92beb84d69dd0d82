// How diagnostics look: lines for people, or one JSON object a line for what collects logs.
//
//   {"time":"2026-01-31T12:00:00.123Z","level":"warn","room":"connect","message":"ingest feed: …",
//    "source":"feed"}
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/log.h"

namespace tailrace {

enum class LogFormat { kText, kJson };

/// Of all lines from here on. Call it before there are threads.
void set_log_format(LogFormat format);

/// Without the newline. What is not UTF-8 in the message becomes U+FFFD.
std::string json_log_line(LogLevel level, std::chrono::system_clock::time_point time,
                          std::string_view room, std::string_view message, const LogFields& fields);

}  // namespace tailrace
