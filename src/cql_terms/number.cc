#include "cql_terms/number.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/bytes.h"

namespace tailrace::cql_terms {

using cql_types::Kind;

bool is_number(Kind kind) {
  switch (kind) {
    case Kind::kTinyint:
    case Kind::kSmallint:
    case Kind::kInt:
    case Kind::kBigint:
    case Kind::kCounter:
    case Kind::kVarint:
      return true;
    default:
      return is_floating(kind);
  }
}

bool is_floating(Kind kind) {
  return kind == Kind::kFloat || kind == Kind::kDouble || kind == Kind::kDecimal;
}

std::int64_t saturated(double value, std::int64_t least, std::int64_t most) {
  if (std::isnan(value)) return 0;
  if (value <= static_cast<double>(least)) return least;
  if (value >= static_cast<double>(most)) return most;
  return static_cast<std::int64_t>(value);
}

std::int64_t Number::as_whole() const {
  switch (kind) {
    case Kind::kFloat:
    case Kind::kDouble:
      return saturated(wide, std::numeric_limits<std::int64_t>::min(),
                       std::numeric_limits<std::int64_t>::max());
    case Kind::kVarint:
    case Kind::kDecimal: {
      const auto part = whole_part(big);
      if (!part) return 0;
      const Whole low = *part & Whole(std::numeric_limits<std::uint64_t>::max());
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(low));
    }
    default:
      return whole;
  }
}

double Number::as_double() const {
  switch (kind) {
    case Kind::kFloat:
    case Kind::kDouble:
      return wide;
    case Kind::kVarint:
    case Kind::kDecimal:
      return to_double(big);
    default:
      return static_cast<double>(whole);
  }
}

float Number::as_float() const {
  if (kind == Kind::kFloat || kind == Kind::kDouble) return static_cast<float>(wide);
  if (kind == Kind::kVarint || kind == Kind::kDecimal) return static_cast<float>(to_double(big));
  return static_cast<float>(whole);
}

Whole Number::as_varint() const {
  return kind == Kind::kVarint ? big.unscaled : Whole(as_whole());
}

Calculated<Big> Number::as_decimal() const {
  if (kind == Kind::kVarint || kind == Kind::kDecimal) return big;
  const double value = as_double();
  if (std::isnan(value)) return std::unexpected("A NaN cannot be converted into a decimal");
  if (std::isinf(value))
    return std::unexpected("An infinite number cannot be converted into a decimal");
  return big_of(value);
}

Outcome<std::optional<Number>> read_number(Kind kind, Part value) {
  if (!value || value->empty()) return std::nullopt;
  Number number{kind};
  const char* at = value->data();
  switch (kind) {
    case Kind::kTinyint:
      number.whole = load_be<std::int8_t>(at);
      break;
    case Kind::kSmallint:
      number.whole = load_be<std::int16_t>(at);
      break;
    case Kind::kInt:
      number.whole = load_be<std::int32_t>(at);
      break;
    case Kind::kFloat:
      number.wide = std::bit_cast<float>(load_be<std::uint32_t>(at));
      break;
    case Kind::kDouble:
      number.wide = std::bit_cast<double>(load_be<std::uint64_t>(at));
      break;
    case Kind::kVarint:
    case Kind::kDecimal: {
      auto big = kind == Kind::kDecimal ? big_of(*value) : std::nullopt;
      if (kind == Kind::kVarint)
        if (auto read = whole_of(*value)) big = Big{std::move(*read), 0};
      if (!big)
        return cql_types::invalid(
            fmt::format("A {} of more than {} bytes cannot be calculated with", native_name(kind),
                        kMaxWholeBytes));
      number.big = std::move(*big);
      break;
    }
    default:
      number.whole = load_be<std::int64_t>(at);
  }
  return number;
}

std::string whole_bytes(Kind kind, std::int64_t value) {
  std::string out;
  switch (kind) {
    case Kind::kTinyint:
      append_be(out, static_cast<std::int8_t>(value));
      break;
    case Kind::kSmallint:
      append_be(out, static_cast<std::int16_t>(value));
      break;
    case Kind::kInt:
      append_be(out, static_cast<std::int32_t>(value));
      break;
    default:
      append_be(out, value);
  }
  return out;
}

std::string float_bytes(float value) {
  std::string out;
  append_be(out, std::bit_cast<std::uint32_t>(value));
  return out;
}

std::string double_bytes(double value) {
  std::string out;
  append_be(out, std::bit_cast<std::uint64_t>(value));
  return out;
}

}  // namespace tailrace::cql_terms
