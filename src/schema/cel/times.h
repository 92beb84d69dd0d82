// CEL's timestamps and durations as text, and their parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schema/cel/value.h"

namespace tailrace::schema::cel {

/// Years 1 to 9999.
inline constexpr std::int64_t kFirstSecond = -62'135'596'800, kLastSecond = 253'402'300'799;

/// RFC 3339; nullopt for what is none, or outside the years.
std::optional<Timestamp> timestamp_of(std::string_view text);
std::string text_of(const Timestamp& time);
/// "1h30m", "-1.5s", "3ms", "250us", "7ns"
std::optional<Duration> duration_of(std::string_view text);
/// In seconds: "5400s", "1.5s".
std::string text_of(const Duration& duration);

/// Seconds to be added to UTC: "UTC", "Z", "+02:00", "-08:00"; nullopt for other zones.
std::optional<std::int64_t> zone_offset(std::string_view zone);
/// getFullYear, getMonth (from 0), getDate (from 1), getDayOfMonth (from 0), getDayOfWeek (Sunday
/// is 0), getDayOfYear (from 0), getHours, getMinutes, getSeconds, getMilliseconds; nullopt for
/// other names.
std::optional<std::int64_t> part_of(const Timestamp& time, std::string_view name);
/// getHours … getMilliseconds of a duration: all of it in that unit, but for milliseconds.
std::optional<std::int64_t> part_of(const Duration& duration, std::string_view name);

}  // namespace tailrace::schema::cel
