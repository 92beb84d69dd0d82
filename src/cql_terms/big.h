// Whole numbers and decimals of any size, as BigInteger and BigDecimal calculate with them.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::cql_terms {

using Whole = boost::multiprecision::cpp_int;

/// The longest varint or decimal that is calculated with, in bytes and in digits; sums of decimals
/// whose scales are further apart than that are refused.
constexpr std::size_t kMaxWholeBytes = 16 * 1024;
constexpr std::int64_t kMaxBigDigits = 40'000;

/// unscaled × 10^-scale.
struct Big {
  Whole unscaled = 0;
  std::int64_t scale = 0;
};

/// A calculation that cannot be: Java's message.
template <typename T>
using Calculated = std::expected<T, std::string>;

enum class Rounding : std::uint8_t { kHalfUp, kHalfEven };

/// Of a varint's bytes, at least one; nullopt beyond kMaxWholeBytes.
std::optional<Whole> whole_of(std::string_view varint);
std::string varint_of(const Whole& value);
std::optional<Big> big_of(std::string_view decimal);
/// Fails where the scale does not fit 32 bits, as "Overflow" or "Underflow".
Calculated<std::string> decimal_of(const Big& value);
/// Of a finite number, by its shortest text.
Big big_of(double value);

std::int64_t digits(const Whole& value);  // at least 1
Whole power_of_ten(std::int64_t exponent);
/// Rounds to `precision` digits at most.
Big rounded(const Big& value, std::int64_t precision, Rounding rounding);
/// Another scale, rounding where it is smaller.
Calculated<Big> with_scale(const Big& value, std::int64_t scale, Rounding rounding);
Big without_zeros(Big value);

/// To 10,000 digits at most, or exact.
Calculated<Big> add(const Big& a, const Big& b, bool exact = false);
Calculated<Big> multiply(const Big& a, const Big& b);
Calculated<Big> divide(const Big& a, const Big& b, std::int64_t scale, Rounding rounding);
Calculated<Big> remainder(const Big& a, const Big& b);
/// The whole part.
Calculated<Whole> whole_part(const Big& value);
double to_double(const Big& value);

// To `precision` digits, half to even.
Calculated<Big> exponential(const Big& value, std::int64_t precision);
Calculated<Big> logarithm(const Big& value, std::int64_t precision);
Calculated<Big> logarithm10(const Big& value, std::int64_t precision);

}  // namespace tailrace::cql_terms
