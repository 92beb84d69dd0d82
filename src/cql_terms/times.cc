#include "cql_terms/times.h"

#include <algorithm>
#include <chrono>

#include "base/bytes.h"
#include "cql_types/cast.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_terms {

using cql_types::Duration;
using cql_types::invalid;
using cql_types::Kind;

namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kDayNs = kDayMs * kNsPerMs;

// Wraps around like Java's.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::int64_t fixed_ms(const Duration& duration) {
  return sum(duration.days * kDayMs, duration.nanoseconds / kNsPerMs);
}

struct Moment {
  std::chrono::year_month_day day;
  std::int64_t rest_ms = 0;  // of the day
};

Moment moment_of(std::int64_t unix_ms) {
  const auto days = unix_ms / kDayMs - (unix_ms % kDayMs < 0 ? 1 : 0);
  return {std::chrono::sys_days(std::chrono::days(days)), unix_ms - days * kDayMs};
}

std::int64_t months_of(const Moment& moment) {
  return static_cast<int>(moment.day.year()) * std::int64_t{12} +
         static_cast<unsigned>(moment.day.month()) - 1;
}

std::int64_t add_months(std::int64_t unix_ms, std::int64_t months) {
  const auto moment = moment_of(unix_ms);
  auto day = moment.day + std::chrono::months(months);
  if (!day.ok()) day = day.year() / day.month() / std::chrono::last;
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return days * kDayMs + moment.rest_ms;
}

bool is_negative(const Duration& duration) {
  return duration.months < 0 || duration.days < 0 || duration.nanoseconds < 0;
}

}  // namespace

std::optional<std::int64_t> unix_ms(Kind kind, Part value) {
  if (!value || value->empty()) return std::nullopt;
  if (kind == Kind::kTimeuuid) return cql_types::timeuuid_unix_ms(*value);
  if (kind == Kind::kTimestamp) return load_be<std::int64_t>(value->data());
  return (load_be<std::uint32_t>(value->data()) - (std::int64_t{1} << 31)) * kDayMs;
}

std::string time_bytes(Kind kind, std::int64_t unix_ms) {
  std::string out;
  append_be(out, unix_ms);
  if (kind == Kind::kTimestamp) return out;
  auto date = cql_types::cast(Kind::kTimestamp, out, Kind::kDate);
  return date && *date ? **date : std::string();
}

std::int64_t plus(std::int64_t unix_ms, const Duration& duration, bool minus) {
  const std::int64_t sign = minus ? -1 : 1;
  if (duration.months == 0) return sum(unix_ms, sign * fixed_ms(duration));
  const auto moved = add_months(unix_ms, sign * duration.months) + sign * duration.days * kDayMs;
  // Beside months Cassandra adds 32 bits of milliseconds.
  return sum(moved, static_cast<std::int32_t>(sign * duration.nanoseconds / kNsPerMs));
}

Outcome<std::int64_t> floor_ms(std::int64_t time, const Duration& duration, std::int64_t start) {
  if (start > time)
    return invalid("The floor function starting time is greater than the provided time");
  if (is_negative(duration))
    return invalid("Negative durations are not supported by the floor function");
  const auto fixed = fixed_ms(duration);
  if (duration.months == 0) return fixed == 0 ? time : time - (time - start) % fixed;
  auto times = (months_of(moment_of(time)) - months_of(moment_of(start))) / duration.months;
  auto by_months = add_months(start, times * duration.months);
  if (duration.days == 0 && duration.nanoseconds == 0) return by_months;
  auto floor = by_months + times * fixed;
  while (floor > time) {
    --times;
    by_months = add_months(by_months, -duration.months);
    floor = by_months + times * fixed;
  }
  return std::max(start, floor);
}

Outcome<std::int64_t> floor_of_day(std::int64_t time, const Duration& duration) {
  if (is_negative(duration))
    return invalid("Negative durations are not supported by the floor function");
  if (duration.months != 0 || duration.days != 0 || duration.nanoseconds > kDayNs)
    return invalid(
        "For time values, the floor can only be computed for durations smaller that a day");
  if (duration.nanoseconds == 0) return time;
  return time - time % duration.nanoseconds;
}

}  // namespace tailrace::cql_terms
