#include "cql_types/cast.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "base/check.h"
#include "cql_types/number.h"
#include "cql_types/text.h"
#include "cql_types/uuid.h"
#include "cql_types/validate.h"

namespace tailrace::cql_types {
namespace {

constexpr std::int64_t kDaySeconds = 86'400, kDayMs = kDaySeconds * 1'000;
constexpr std::int64_t kDateOffset = std::int64_t{1} << 31;

bool is_number(Kind kind) {
  switch (kind) {
    case Kind::kTinyint:
    case Kind::kSmallint:
    case Kind::kInt:
    case Kind::kBigint:
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kDecimal:
    case Kind::kCounter:
    case Kind::kVarint:
      return true;
    default:
      return false;
  }
}

bool is_time(Kind kind) {
  return kind == Kind::kTimeuuid || kind == Kind::kTimestamp || kind == Kind::kDate;
}

template <typename T>
std::string be(T value) {
  std::string bytes;
  append_be(bytes, value);
  return bytes;
}

// Java's narrowing: NaN is 0, what is too large the limit.
template <typename Whole>
Whole saturated(double value) {
  if (std::isnan(value)) return 0;
  const double least = static_cast<double>(std::numeric_limits<Whole>::min());
  if (value <= least) return std::numeric_limits<Whole>::min();
  if (value >= -least) return std::numeric_limits<Whole>::max();
  return static_cast<Whole>(value);
}

// A number as its whole part (the low 64 bits) and as floating point.
struct Number {
  std::int64_t whole = 0;   // of a floating one saturated
  std::int32_t narrow = 0;  // what becomes int and smaller
  double wide = 0;
  float single = 0;
  bool floating = false;
};

Number of_whole(std::int64_t whole) {
  return {whole, static_cast<std::int32_t>(whole), static_cast<double>(whole),
          static_cast<float>(whole), false};
}

Number of_floating(double value, float single) {
  return {saturated<std::int64_t>(value), saturated<std::int32_t>(value), value, single, true};
}

Result<Number> read_number(Kind kind, std::string_view bytes) {
  const char* at = bytes.data();
  switch (kind) {
    case Kind::kTinyint:
      return of_whole(load_be<std::int8_t>(at));
    case Kind::kSmallint:
      return of_whole(load_be<std::int16_t>(at));
    case Kind::kInt:
      return of_whole(load_be<std::int32_t>(at));
    case Kind::kBigint:
    case Kind::kCounter:
      return of_whole(load_be<std::int64_t>(at));
    case Kind::kFloat: {
      const auto value = std::bit_cast<float>(load_be<std::uint32_t>(at));
      return of_floating(value, value);
    }
    case Kind::kDouble: {
      const auto value = std::bit_cast<double>(load_be<std::uint64_t>(at));
      return of_floating(value, static_cast<float>(value));
    }
    default:
      break;
  }
  const auto value = kind == Kind::kVarint ? varint_digits(bytes) : decimal_digits(bytes);
  if (!value) return error(Code::kInvalidArgument, "a number of too many digits to cast");
  Number number = of_whole(kind == Kind::kVarint ? varint_low(bytes) : whole_low(*value));
  const auto text = decimal_text(*value);
  number.wide = parse_double(text).value_or(0);
  number.single = parse_float(text).value_or(0);
  return number;
}

Result<std::string> to_decimal(Kind from, std::string_view bytes, const Number& number) {
  std::optional<Decimal> value;
  if (from == Kind::kVarint)
    value = varint_digits(bytes);
  else if (from == Kind::kFloat)
    value = parse_decimal(float_text(number.single));
  else if (from == Kind::kDouble)
    value = parse_decimal(double_text(number.wide));
  else
    value = parse_decimal(std::to_string(number.whole));
  if (!value) return error(Code::kInvalidArgument, "NaN and infinities are no decimal");
  return decimal_bytes(*value);
}

Result<std::string> cast_number(Kind from, std::string_view bytes, Kind to) {
  ASSIGN(const auto number, read_number(from, bytes));
  switch (to) {
    case Kind::kTinyint:
      return be(static_cast<std::int8_t>(number.narrow));
    case Kind::kSmallint:
      return be(static_cast<std::int16_t>(number.narrow));
    case Kind::kInt:
      return be(number.narrow);
    case Kind::kBigint:
      return be(number.whole);
    case Kind::kFloat:
      return be(std::bit_cast<std::uint32_t>(number.single));
    case Kind::kDouble:
      return be(std::bit_cast<std::uint64_t>(number.wide));
    case Kind::kVarint:
      return varint_bytes(number.whole);
    default:
      return to_decimal(from, bytes, number);
  }
}

std::string cast_time(Kind from, std::string_view bytes, Kind to) {
  std::int64_t ms = 0;
  if (from == Kind::kTimeuuid)
    ms = timeuuid_unix_ms(bytes);
  else if (from == Kind::kTimestamp)
    ms = load_be<std::int64_t>(bytes.data());
  else
    ms = (load_be<std::uint32_t>(bytes.data()) - kDateOffset) * kDayMs;
  if (to == Kind::kTimestamp) return be(ms);
  // As Cassandra counts them: whole seconds down, whole days towards 1970, which is a day later
  // than the calendar's before it.
  const std::int64_t seconds = ms / 1'000 - (ms % 1'000 < 0 ? 1 : 0);
  return be(static_cast<std::uint32_t>(seconds / kDaySeconds + kDateOffset));
}

}  // namespace

bool can_cast(Kind from, Kind to) {
  if (from == to) return false;
  if (is_number(from) && is_number(to)) return to != Kind::kCounter;
  if (to == Kind::kText || to == Kind::kAscii) {
    if (from == Kind::kText || from == Kind::kAscii) return to == Kind::kText;
    return is_native(from) && from != Kind::kBlob && from != Kind::kDuration;
  }
  return is_time(from) && (to == Kind::kDate || to == Kind::kTimestamp);
}

Result<std::optional<std::string>> cast(Kind from, std::string_view bytes, Kind to) {
  CHECK(can_cast(from, to));
  const auto type = native_type(from);
  TRY(validate(*type, bytes));
  if (from == Kind::kAscii) return std::optional<std::string>(bytes);
  if (bytes.empty()) return std::nullopt;
  if (to == Kind::kText || to == Kind::kAscii) {
    ASSIGN(auto text, to_text(*type, bytes));
    return std::optional(std::move(text));
  }
  if (is_time(from)) return std::optional(cast_time(from, bytes, to));
  ASSIGN(auto result, cast_number(from, bytes, to));
  return std::optional(std::move(result));
}

}  // namespace tailrace::cql_types
