// Times as text: timestamps, dates, times of day and durations, in every form Cassandra reads, and
// in the one it writes. The zone of a timestamp without one is UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::cql_types {

/// Milliseconds since 1970 of "now", of a whole number, or of `y-M-d[T| ]H:m[:s[.f]][zone]` and
/// `yyyy-MM-dd[zone]`, where the zone is Z, +hh, +hhmm, +hh:mm, or " UTC", " GMT", " UT", "
/// +hh:mm". A day past the month's last is the last. Other names of zones are kInvalidArgument.
Result<std::int64_t> parse_timestamp(std::string_view text, std::int64_t now_ms);
/// "2020-01-01T10:00:00.000Z"; with `separator` ' ' as JSON has it.
std::string timestamp_text(std::int64_t unix_ms, char separator);

/// Days since 1970-01-01 plus 2^31: of "2020-01-31", or that number itself.
Result<std::uint32_t> parse_date(std::string_view text);
std::string date_text(std::uint32_t days);

/// Nanoseconds since midnight: of "10:00:00.123456789", or that number itself.
Result<std::int64_t> parse_time(std::string_view text);
/// Always nine digits of a second. Outside of a day, the number itself.
std::string time_text(std::int64_t nanoseconds);

/// All three of one sign.
struct Duration {
  std::int32_t months = 0, days = 0;
  std::int64_t nanoseconds = 0;
};

/// "1y2mo3w4d5h6m7s8ms9us10ns", and ISO 8601: "P1Y2M3DT4H5M6S", "P2W", "P0001-02-03T04:05:06".
Result<Duration> parse_duration(std::string_view text);
std::string duration_text(const Duration& duration);
std::string duration_bytes(const Duration& duration);
/// nullopt for bytes that are no duration.
std::optional<Duration> read_duration(std::string_view bytes);

}  // namespace tailrace::cql_types
