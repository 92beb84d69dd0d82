// Numbers of any size: varint (two's complement, big-endian) and decimal (scale:i32, varint), as
// decimal digits and back, and their texts and those of floating point as Java writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::cql_types {

/// The most digits a varint or a decimal may have where it becomes text or a sort key, or was text.
constexpr std::size_t kMaxDigits = 20'000;

/// A decimal: digits × 10^-scale. Digits have no leading zero; zero is "0", never negative.
struct Decimal {
  bool negative = false;
  std::string digits = "0";
  std::int64_t scale = 0;

  bool is_zero() const { return digits == "0"; }
  /// The power of ten of the first digit.
  std::int64_t exponent() const { return static_cast<std::int64_t>(digits.size()) - 1 - scale; }
};

/// Of a varint's bytes, of which there is at least one; scale 0. nullopt beyond kMaxDigits.
std::optional<Decimal> varint_digits(std::string_view bytes);
/// The shortest two's complement of digits × 1.
std::string varint_bytes(const Decimal& value);
std::string varint_bytes(std::int64_t value);
/// The low 64 bits.
std::int64_t varint_low(std::string_view bytes);

/// Of a decimal's bytes, of which there are at least four; nullopt beyond kMaxDigits.
std::optional<Decimal> decimal_digits(std::string_view bytes);
/// The scale must fit 32 bits.
std::string decimal_bytes(const Decimal& value);

/// As Java's BigInteger and BigDecimal read text; nullopt for what is none or too long.
std::optional<Decimal> parse_integer(std::string_view text);
std::optional<Decimal> parse_decimal(std::string_view text);
/// As BigInteger and BigDecimal write it: "1E+3", "0.00", "1.2E-9".
std::string integer_text(const Decimal& value);
std::string decimal_text(const Decimal& value);
/// The whole part's low 64 bits.
std::int64_t whole_low(const Decimal& value);

/// As Java's Double.valueOf reads it, "1e3", " 2.5f", "NaN", "-Infinity", "0x1p3".
std::optional<double> parse_double(std::string_view text);
std::optional<float> parse_float(std::string_view text);
/// The shortest digits that read back, in Java's form: "1.0", "1.0E10", "NaN".
std::string double_text(double value);
std::string float_text(float value);

}  // namespace tailrace::cql_types
