// Values as Spark prints them, and Spark's texts as values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/functions/value.h"

namespace tailrace::engine {

/// Java's Double.toString: 1.0, 1.0E7, 1.5E-4, NaN, Infinity.
void append_double(std::string& out, double value);
void append_float(std::string& out, float value);
/// 2020-01-31; +12020-01-31 beyond four digits.
void append_date(std::string& out, std::int32_t days);
/// 2020-01-31 10:11:12.5 without trailing zeros.
void append_timestamp(std::string& out, std::int64_t micros);
/// Element i, not null, as CAST(… AS STRING) gives it; nulls inside arrays, structs and maps are
/// "null".
void append_text(std::string& out, const arrow::Array& array, std::int64_t i);

/// Spaces and control characters off both ends, as casts trim.
std::string_view trim_spaces(std::string_view text);

std::optional<bool> parse_boolean(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_double(std::string_view text);
std::optional<float> parse_float(std::string_view text);
struct ParsedDecimal {
  Decimal128 value;
  int scale;
};
std::optional<ParsedDecimal> parse_decimal(std::string_view text);
/// "epoch", "now", "today", "yesterday", "tomorrow" in microseconds. Only a constant may be such a
/// word: in a column Spark takes it for no date.
std::optional<std::int64_t> named_moment(std::string_view text, std::int64_t now_us);
/// yyyy, yyyy-[m]m, yyyy-[m]m-[d]d, and after a space or T anything.
std::optional<std::int32_t> parse_date(std::string_view text);
/// As parse_date, with a time, fraction and zone; a time alone is of today.
std::optional<std::int64_t> parse_timestamp(std::string_view text, std::int64_t now_us,
                                            bool* had_zone = nullptr);
/// Offset in seconds of "Z", "+2", "+02:00", "UTC+3", "GMT", "Europe/Paris" at a local time.
std::optional<std::int64_t> parse_zone(std::string_view text, std::int64_t local_seconds);
/// The same at a time in UTC.
std::optional<std::int64_t> zone_offset_at(std::string_view text, std::int64_t utc_seconds);

}  // namespace tailrace::engine
