#include "cql_terms/big.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/bytes.h"
#include "cql_types/number.h"

namespace tailrace::cql_terms {
namespace {

namespace mp = boost::multiprecision;

constexpr std::int64_t kMaxPrecision = 10'000;

std::unexpected<std::string> failed(std::string what) {
  return std::unexpected(std::move(what));
}
std::unexpected<std::string> too_long() {
  return failed("the number has more than " + std::to_string(kMaxBigDigits) + " digits");
}

// The quotient rounded; the divisor is above zero.
Whole rounded_quotient(const Whole& value, const Whole& divisor, Rounding rounding) {
  Whole quotient, rest;
  mp::divide_qr(value, divisor, quotient, rest);
  const Whole twice = abs(rest) * 2;
  const int order = twice.compare(divisor);
  const bool up = order > 0 ||
                  (order == 0 && (rounding == Rounding::kHalfUp || mp::bit_test(abs(quotient), 0)));
  if (up) quotient += value < 0 ? -1 : 1;
  return quotient;
}

// Fixed-point numbers: value × 10^places.
class Fixed {
 public:
  explicit Fixed(std::int64_t places) : places_(places), one_(power_of_ten(places)) {}

  Whole of(const Big& value) const {
    const auto shift = places_ - value.scale;
    if (shift >= 0) return value.unscaled * power_of_ten(shift);
    return -shift > digits(value.unscaled) + 1 ? Whole(0)
                                               : Whole(value.unscaled / power_of_ten(-shift));
  }
  const Whole& one() const { return one_; }
  std::int64_t places() const { return places_; }

  // 2 × atanh(a / b), the logarithm of (b + a) / (b - a).
  Whole twice_atanh(const Whole& a, const Whole& b) const {
    const Whole y = a * one_ / b;
    const Whole square = y * y / one_;
    Whole power = y, sum = y;
    for (unsigned n = 3; power != 0; n += 2) {
      power = power * square / one_;
      sum += power / n;
    }
    return sum * 2;
  }
  Whole log2() const { return twice_atanh(1, 3); }
  Whole log10() const { return log2() * 3 + twice_atanh(1, 9); }

  // Of a value not far from zero.
  Whole exp(const Whole& value) const {
    constexpr unsigned kHalvings = 16;
    const Whole x = value >> kHalvings;
    Whole term = one_, sum = one_;
    for (unsigned n = 1; term != 0 && n < 100'000; ++n) {
      term = term * x / one_ / n;
      sum += term;
      if (abs(term) <= 1) break;
    }
    for (unsigned i = 0; i < kHalvings; ++i) sum = sum * sum / one_;
    return sum;
  }

 private:
  std::int64_t places_;
  Whole one_;
};

// The power of ten of the first digit.
std::int64_t exponent_of(const Big& value) {
  return digits(value.unscaled) - 1 - value.scale;
}

}  // namespace

std::optional<Whole> whole_of(std::string_view bytes) {
  if (bytes.size() > kMaxWholeBytes) return std::nullopt;
  Whole value;
  mp::import_bits(value, bytes.begin(), bytes.end(), 8);
  if (!bytes.empty() && static_cast<signed char>(bytes[0]) < 0)
    value -= Whole(1) << static_cast<unsigned>(8 * bytes.size());
  return value;
}

std::string varint_of(const Whole& value) {
  // Of -256 the bits of 255, inverted: two's complement.
  const Whole magnitude = value < 0 ? Whole(-value - 1) : value;
  std::vector<unsigned char> bytes;
  mp::export_bits(magnitude, std::back_inserter(bytes), 8);
  if (bytes.empty() || (bytes[0] & 0x80) != 0) bytes.insert(bytes.begin(), 0);
  std::string out(bytes.begin(), bytes.end());
  if (value < 0)
    for (char& c : out) c = static_cast<char>(~c);
  return out;
}

std::optional<Big> big_of(std::string_view bytes) {
  auto unscaled = whole_of(bytes.substr(4));
  if (!unscaled) return std::nullopt;
  return Big{std::move(*unscaled), load_be<std::int32_t>(bytes.data())};
}

Calculated<std::string> decimal_of(const Big& value) {
  if (value.scale != static_cast<std::int32_t>(value.scale)) {
    if (value.unscaled == 0) return decimal_of({0, value.scale > 0 ? INT32_MAX : INT32_MIN});
    return failed(value.scale > 0 ? "Underflow" : "Overflow");
  }
  std::string out;
  append_be(out, static_cast<std::int32_t>(value.scale));
  return out + varint_of(value.unscaled);
}

Big big_of(double value) {
  const auto exact = cql_types::parse_decimal(cql_types::double_text(value));
  if (!exact) return {};
  return {Whole(exact->digits) * (exact->negative ? -1 : 1), exact->scale};
}

std::int64_t digits(const Whole& value) {
  if (value == 0) return 1;
  const Whole magnitude = abs(value);
  auto count =
      static_cast<std::int64_t>(static_cast<double>(mp::msb(magnitude)) * 0.30102999566) + 1;
  count = std::max<std::int64_t>(count - 1, 1);
  while (magnitude >= power_of_ten(count)) ++count;
  return count;
}

Whole power_of_ten(std::int64_t exponent) {
  return mp::pow(Whole(10), static_cast<unsigned>(exponent));
}

Big rounded(const Big& value, std::int64_t precision, Rounding rounding) {
  Big out = value;
  for (auto extra = digits(out.unscaled) - precision; extra > 0;
       extra = digits(out.unscaled) - precision) {
    out.unscaled = rounded_quotient(out.unscaled, power_of_ten(extra), rounding);
    out.scale -= extra;
  }
  return out;
}

Calculated<Big> with_scale(const Big& value, std::int64_t scale, Rounding rounding) {
  const auto shift = scale - value.scale;
  if (value.unscaled == 0) return Big{0, scale};
  if (shift > kMaxBigDigits) return too_long();
  if (shift >= 0) return Big{value.unscaled * power_of_ten(shift), scale};
  if (-shift > digits(value.unscaled) + 1) return Big{0, scale};
  return Big{rounded_quotient(value.unscaled, power_of_ten(-shift), rounding), scale};
}

Big without_zeros(Big value) {
  if (value.unscaled == 0) return {};
  Whole quotient, rest;
  while (true) {
    mp::divide_qr(value.unscaled, Whole(10), quotient, rest);
    if (rest != 0) return value;
    value.unscaled = quotient;
    --value.scale;
  }
}

Calculated<Big> add(const Big& a, const Big& b, bool exact) {
  const Big& fine = a.scale >= b.scale ? a : b;
  const Big& coarse = a.scale >= b.scale ? b : a;
  const auto shift = fine.scale - coarse.scale;
  const auto reach = digits(coarse.unscaled) + shift;
  if (reach > kMaxBigDigits && fine.unscaled != 0 && coarse.unscaled != 0) {
    if (exact) return too_long();
    // Far below the last digit kept, the smaller counts by its sign alone.
    if (exponent_of(fine) + kMaxPrecision + 3 < exponent_of(coarse)) {
      const auto kept = kMaxPrecision + 3;
      const auto scale = kept - 1 - exponent_of(coarse);
      auto made = with_scale(coarse, scale, Rounding::kHalfUp);
      if (!made) return made;
      made->unscaled = made->unscaled * 10 + (fine.unscaled < 0 ? -1 : 1);
      ++made->scale;
      return rounded(*made, kMaxPrecision, Rounding::kHalfUp);
    }
    return too_long();
  }
  Big sum;
  if (coarse.unscaled == 0) {
    sum = fine;
  } else if (fine.unscaled == 0 && shift > kMaxBigDigits) {
    sum = coarse;
  } else {
    sum = {fine.unscaled + coarse.unscaled * power_of_ten(shift), fine.scale};
  }
  return exact ? sum : rounded(sum, kMaxPrecision, Rounding::kHalfUp);
}

Calculated<Big> multiply(const Big& a, const Big& b) {
  return rounded({a.unscaled * b.unscaled, a.scale + b.scale}, kMaxPrecision, Rounding::kHalfUp);
}

Calculated<Big> divide(const Big& a, const Big& b, std::int64_t scale, Rounding rounding) {
  if (b.unscaled == 0) return failed("BigInteger divide by zero");
  // a / b = (a.unscaled / b.unscaled) × 10^(b.scale - a.scale)
  const auto shift = scale + b.scale - a.scale;
  Whole value = a.unscaled, divisor = b.unscaled;
  if (std::abs(shift) > 2 * kMaxBigDigits) {
    if (shift > 0 && value != 0) return too_long();
    return Big{0, scale};
  }
  if (shift >= 0)
    value *= power_of_ten(shift);
  else
    divisor *= power_of_ten(-shift);
  if (divisor < 0) {
    value = -value;
    divisor = -divisor;
  }
  return Big{rounded_quotient(value, divisor, rounding), scale};
}

Calculated<Big> remainder(const Big& a, const Big& b) {
  if (b.unscaled == 0) return failed(a.unscaled == 0 ? "Division undefined" : "Division by zero");
  const auto scale = std::max(a.scale, b.scale);
  const auto x = with_scale(a, scale, Rounding::kHalfUp);
  const auto y = with_scale(b, scale, Rounding::kHalfUp);
  if (!x) return x;
  if (!y) return y;
  // The scale is that of a - quotient × b, where the quotient has as few zeros as a and b allow.
  Whole quotient, rest;
  mp::divide_qr(x->unscaled, y->unscaled, quotient, rest);
  const auto preferred = a.scale - b.scale;
  std::int64_t of_quotient = std::max<std::int64_t>(preferred, 0);
  if (quotient == 0) of_quotient = preferred;
  for (; of_quotient > preferred && quotient % 10 == 0; --of_quotient) quotient /= 10;
  return with_scale({rest, scale}, std::max(a.scale, of_quotient + b.scale), Rounding::kHalfUp);
}

Calculated<Whole> whole_part(const Big& value) {
  if (value.scale <= 0) {
    if (-value.scale > kMaxBigDigits) return too_long();
    return Whole(value.unscaled * power_of_ten(-value.scale));
  }
  if (value.scale > digits(value.unscaled)) return Whole(0);
  return Whole(value.unscaled / power_of_ten(value.scale));
}

double to_double(const Big& value) {
  cql_types::Decimal out;
  out.negative = value.unscaled < 0;
  out.digits = Whole(abs(value.unscaled)).str();
  out.scale = value.scale;
  return cql_types::parse_double(cql_types::decimal_text(out)).value_or(0);
}

Calculated<Big> exponential(const Big& value, std::int64_t precision) {
  if (value.unscaled == 0) return Big{1, 0};
  constexpr std::int64_t kMaxExponent = 9;  // of ten, as the whole part must fit 32 bits
  if (exponent_of(value) > kMaxExponent) return failed("Overflow");
  if (precision > kMaxPrecision) precision = kMaxPrecision;
  const auto tiny = std::max<std::int64_t>(0, -exponent_of(value));
  // Of 1 + x where x is below the last digit the sum is rounded to 1.
  const Fixed fixed(precision + 25 + std::min(tiny, precision));
  const Whole x = fixed.of(value);
  const Whole log10 = Fixed(fixed.places() + 12).log10() / power_of_ten(12);
  Whole tens = x / log10;
  const Fixed finer(fixed.places() + 12);
  const Whole rest = finer.of(value) - tens * finer.log10();
  const Whole result = finer.exp(rest);
  return rounded({result, finer.places() - static_cast<std::int64_t>(tens)}, precision,
                 Rounding::kHalfEven);
}

Calculated<Big> logarithm(const Big& value, std::int64_t precision) {
  if (value.unscaled <= 0) return failed("Illegal log(x) for x <= 0");
  const auto distance = add(value, Big{-1, 0}, true);
  if (distance && distance->unscaled == 0) return Big{0, 0};
  if (precision > kMaxPrecision) precision = kMaxPrecision;
  const auto near = distance ? std::max<std::int64_t>(0, -exponent_of(*distance)) : 0;
  if (near > kMaxBigDigits) return too_long();
  const Fixed fixed(precision + 25 + near);
  // value = m × 10^e × 2^k, with m around 1.
  const auto exponent = exponent_of(value);
  Whole m = fixed.of({value.unscaled, value.scale + exponent});
  std::int64_t halvings = 0;
  while (m * 3 > fixed.one() * 4) {
    m >>= 1;
    ++halvings;
  }
  std::int64_t tens = exponent;
  if (near > 0 && exponent < 0) {  // 0.99…: better 9.9… / 10 than sums that cancel out
    m = fixed.of(value);
    tens = 0;
    halvings = 0;
  }
  const Whole sum = fixed.twice_atanh(m - fixed.one(), m + fixed.one()) + fixed.log2() * halvings +
                    fixed.log10() * tens;
  return rounded({sum, fixed.places()}, precision, Rounding::kHalfEven);
}

// The quotient of two logarithms of two digits more, with the scale that BigDecimal prefers where
// it is exact: 2 of 100, 0E+33 of 1.
Calculated<Big> logarithm10(const Big& value, std::int64_t precision) {
  const auto finer = precision + 2;
  const auto natural = logarithm(value, finer);
  if (!natural) return natural;
  const auto ten = logarithm({10, 0}, finer);
  const auto preferred = natural->scale - ten->scale;
  if (natural->unscaled == 0) return Big{0, preferred};
  const auto scale = finer + 2 + exponent_of(*ten) - exponent_of(*natural);
  auto quotient = divide(*natural, *ten, scale, Rounding::kHalfEven);
  if (!quotient) return quotient;
  const auto back = multiply(*quotient, *ten);
  const auto rest = back ? add(*natural, {-back->unscaled, back->scale}, true) : back;
  if (rest && rest->unscaled == 0)
    while (quotient->scale > preferred && quotient->unscaled % 10 == 0) {
      quotient->unscaled /= 10;
      --quotient->scale;
    }
  return rounded(*quotient, precision, Rounding::kHalfEven);
}

}  // namespace tailrace::cql_terms
