// Times as functions calculate with them: milliseconds since 1970, durations added, floors.
#pragma once

#include "cql_terms/function.h"
#include "cql_types/time_text.h"

namespace tailrace::cql_terms {

/// Of a timestamp, a date or a timeuuid; null of null and of an empty value.
std::optional<std::int64_t> unix_ms(cql_types::Kind kind, Part value);
/// A timestamp or a date.
std::string time_bytes(cql_types::Kind kind, std::int64_t unix_ms);

/// Months by the calendar, a day past the month's last being the last; then days, then the rest.
std::int64_t plus(std::int64_t unix_ms, const cql_types::Duration& duration, bool minus);

/// The start of the duration's window, counted from `start`. kInvalid in Cassandra's words.
Outcome<std::int64_t> floor_ms(std::int64_t unix_ms, const cql_types::Duration& duration,
                               std::int64_t start_ms);
/// The same of nanoseconds of a day, counted from midnight.
Outcome<std::int64_t> floor_of_day(std::int64_t nanoseconds, const cql_types::Duration& duration);

}  // namespace tailrace::cql_terms
