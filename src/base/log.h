// Diagnostics to standard error. LOG(info, "recovered {} segments", n): levels debug, info, warn,
// error. A line that speaks of a topic, a table, a run … says so in fields, too, for those who
// search:
//
//   LOG_OF(warn, log_of("topic", name, "offset", n), "{}: nothing is at offset {}", name, n);
//
// Fields are shown by --log-format json, beside the room that the line comes from. Their names:
// topic, partition, offset, source, table, flow, function, dag, run, task, try, rule, channel.
//
// Never pass a secret. Colours appear only on a terminal.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace tailrace {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);

struct LogField {
  std::string_view name;  ///< a literal
  std::variant<std::string, std::int64_t> value;
};
using LogFields = std::vector<LogField>;

/// `room`: of the source's file; `fields` may be empty.
void log_line(LogLevel level, std::string_view room, const std::string& line,
              const LogFields& fields);

/// Names and values in turn.
inline void add_log_fields(LogFields& /*fields*/) {}
template <typename Value, typename... More>
void add_log_fields(LogFields& fields, std::string_view name, const Value& value,
                    const More&... more) {
  if constexpr (std::is_integral_v<Value>)
    fields.push_back({name, static_cast<std::int64_t>(value)});
  else
    fields.push_back({name, std::string(value)});
  add_log_fields(fields, more...);
}
template <typename... Pairs>
LogFields log_of(const Pairs&... pairs) {
  LogFields fields;
  add_log_fields(fields, pairs...);
  return fields;
}

/// "connect" of ".../src/connect/runner.cc".
consteval std::string_view log_room(std::string_view file) {
  constexpr std::string_view kFolder = "src/";
  const std::size_t at = file.rfind(kFolder);
  if (at == std::string_view::npos) return "";
  file.remove_prefix(at + kFolder.size());
  return file.substr(0, file.find('/'));
}

namespace log_levels {
inline constexpr LogLevel debug = LogLevel::kDebug;
inline constexpr LogLevel info = LogLevel::kInfo;
inline constexpr LogLevel warn = LogLevel::kWarn;
inline constexpr LogLevel error = LogLevel::kError;
}  // namespace log_levels

}  // namespace tailrace

#define LOG(level, ...) LOG_OF(level, {}, __VA_ARGS__)
#define LOG_OF(level, fields, ...)                                                        \
  do {                                                                                    \
    if (::tailrace::log_enabled(::tailrace::log_levels::level))                           \
      ::tailrace::log_line(::tailrace::log_levels::level, ::tailrace::log_room(__FILE__), \
                           ::fmt::format(__VA_ARGS__), fields);                           \
  } while (false)
