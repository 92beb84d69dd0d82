#include "cql_types/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "base/bytes.h"

namespace tailrace::cql_types {
namespace {

constexpr std::uint32_t kBillion = 1'000'000'000;
// A digit takes 3.32 bits; a byte more for the sign.
constexpr std::size_t kMaxBytes = kMaxDigits * 333 / 800 + 1;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::string without_leading_zeros(std::string_view digits) {
  const auto first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? "0" : std::string(digits.substr(first));
}

// Big-endian bytes of two's complement, the other sign's.
void negate(std::string& bytes) {
  unsigned carry = 1;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    carry += static_cast<std::uint8_t>(~*byte);
    *byte = static_cast<char>(carry);
    carry >>= 8;
  }
}

// Words of 32 bits, the highest first.
std::vector<std::uint32_t> words_of(std::string_view magnitude) {
  std::vector<std::uint32_t> words((magnitude.size() + 3) / 4);
  for (std::size_t i = 0; i < magnitude.size(); ++i) {
    auto& word = words[words.size() - 1 - (magnitude.size() - 1 - i) / 4];
    word = word << 8 | static_cast<std::uint8_t>(magnitude[i]);
  }
  return words;
}

std::string digits_of(std::string_view magnitude) {
  auto words = words_of(magnitude);
  std::vector<std::uint32_t> groups;
  for (std::size_t first = 0; first < words.size();) {
    std::uint64_t rest = 0;
    for (std::size_t i = first; i < words.size(); ++i) {
      rest = rest << 32 | words[i];
      words[i] = static_cast<std::uint32_t>(rest / kBillion);
      rest %= kBillion;
    }
    groups.push_back(static_cast<std::uint32_t>(rest));
    while (first < words.size() && words[first] == 0) ++first;
  }
  std::string digits;
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    const auto text = std::to_string(*group);
    digits.append(9 - text.size(), '0').append(text);
  }
  return without_leading_zeros(digits);
}

// Java's shape of floating point from the shortest digits that read back.
template <typename Float>
std::string floating_text(Float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char buffer[64];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const auto e = text.find('e');
  int exponent = 0;
  const char* from = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(from, end, exponent);
  std::string digits;
  for (const char c : text.substr(0, e))
    if (is_digit(c)) digits += c;
  std::string out = value < 0 ? "-" : "";
  if (exponent < -3 || exponent >= 7) {
    out += digits[0];
    out += '.';
    out += digits.size() > 1 ? digits.substr(1) : "0";
    return out + "E" + std::to_string(exponent);
  }
  if (exponent < 0)
    return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0') + ".0";
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

// Whether Java's grammar takes it as digits with a point and an exponent.
bool is_decimal_number(std::string_view text) {
  std::size_t i = 0, digits = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) ++digits;
  if (i < text.size() && text[i] == '.')
    for (++i; i < text.size() && is_digit(text[i]); ++i) ++digits;
  if (digits == 0) return false;
  if (i == text.size()) return true;
  if (text[i] != 'e' && text[i] != 'E') return false;
  ++i;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  return all_digits(text.substr(i));
}

bool is_hex_number(std::string_view text) {
  if (text.size() < 4 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) return false;
  const auto p = text.find_first_of("pP");
  if (p == std::string_view::npos) return false;
  const auto mantissa = text.substr(2, p - 2);
  if (mantissa.find_first_not_of("0123456789abcdefABCDEF.") != std::string_view::npos) return false;
  const auto points = std::count(mantissa.begin(), mantissa.end(), '.');
  if (points > 1 || mantissa.size() == static_cast<std::size_t>(points)) return false;
  auto exponent = text.substr(p + 1);
  if (!exponent.empty() && (exponent[0] == '+' || exponent[0] == '-')) exponent.remove_prefix(1);
  return all_digits(exponent);
}

template <typename Float, typename Read>
std::optional<Float> parse_floating(std::string_view text, Read read) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  if (text.size() > kMaxDigits || text.empty()) return std::nullopt;
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  if (text == "NaN") return std::numeric_limits<Float>::quiet_NaN();
  const Float sign = negative ? Float{-1} : Float{1};
  if (text == "Infinity") return sign * std::numeric_limits<Float>::infinity();
  if (!text.empty() && std::string_view("fFdD").find(text.back()) != std::string_view::npos &&
      !(text.size() < 3 && text.back() == text.front()))
    text.remove_suffix(1);
  if (!is_decimal_number(text) && !is_hex_number(text)) return std::nullopt;
  return sign * read(std::string(text).c_str());
}

}  // namespace

std::optional<Decimal> varint_digits(std::string_view bytes) {
  const char sign = bytes[0] < 0 ? '\xFF' : '\0';
  while (bytes.size() > 1 && bytes[0] == sign) {
    if ((bytes[1] < 0) != (sign != 0)) break;
    bytes.remove_prefix(1);
  }
  if (bytes.size() > kMaxBytes) return std::nullopt;
  Decimal value;
  value.negative = sign != 0;
  std::string magnitude(1, sign);
  magnitude += bytes;
  if (value.negative) negate(magnitude);
  value.digits = digits_of(magnitude);
  if (value.digits.size() > kMaxDigits) return std::nullopt;
  return value;
}

std::string varint_bytes(const Decimal& value) {
  std::vector<std::uint32_t> words;  // the lowest first
  for (std::size_t at = 0; at < value.digits.size();) {
    const auto length = at == 0 ? (value.digits.size() - 1) % 9 + 1 : std::size_t{9};
    std::uint32_t group = 0;
    std::from_chars(&value.digits[at], &value.digits[at] + length, group);
    std::uint64_t carry = group;
    for (auto& word : words) {
      carry += std::uint64_t{word} * kBillion;
      word = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words.push_back(static_cast<std::uint32_t>(carry));
    at += length;
  }
  std::string bytes(1, '\0');
  for (auto word = words.rbegin(); word != words.rend(); ++word) append_be(bytes, *word);
  if (value.negative) negate(bytes);
  std::size_t skip = 0;
  while (skip + 1 < bytes.size() && (bytes[skip] == 0 || bytes[skip] == '\xFF') &&
         (bytes[skip] < 0) == (bytes[skip + 1] < 0))
    ++skip;
  return bytes.substr(skip);
}

std::string varint_bytes(std::int64_t value) {
  std::string bytes;
  append_be(bytes, value);
  std::size_t skip = 0;
  while (skip < 7 && (bytes[skip] == 0 || bytes[skip] == '\xFF') &&
         (bytes[skip] < 0) == (bytes[skip + 1] < 0))
    ++skip;
  return bytes.substr(skip);
}

std::int64_t varint_low(std::string_view bytes) {
  std::uint64_t value = !bytes.empty() && bytes[0] < 0 ? ~std::uint64_t{0} : 0;
  for (const unsigned char c : bytes.substr(bytes.size() > 8 ? bytes.size() - 8 : 0))
    value = value << 8 | c;
  return static_cast<std::int64_t>(value);
}

std::optional<Decimal> decimal_digits(std::string_view bytes) {
  auto value = bytes.size() > 4 ? varint_digits(bytes.substr(4)) : Decimal{};
  if (value) value->scale = load_be<std::int32_t>(bytes.data());
  return value;
}

std::string decimal_bytes(const Decimal& value) {
  std::string bytes;
  append_be(bytes, static_cast<std::int32_t>(value.scale));
  return bytes + varint_bytes(value);
}

std::optional<Decimal> parse_integer(std::string_view text) {
  Decimal value;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (!all_digits(text) || text.size() > kMaxDigits) return std::nullopt;
  value.digits = without_leading_zeros(text);
  value.negative = negative && !value.is_zero();
  return value;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (text.size() > kMaxDigits || !is_decimal_number(text)) return std::nullopt;
  const auto e = std::min(text.find_first_of("eE"), text.size());
  const auto point = std::min(text.find('.'), e);
  std::string digits(text.substr(0, point));
  std::int64_t scale = 0, exponent = 0;
  if (point < e) {
    digits += text.substr(point + 1, e - point - 1);
    scale = static_cast<std::int64_t>(e - point - 1);
  }
  if (e < text.size()) {
    auto power = text.substr(e + 1);
    if (power[0] == '+') power.remove_prefix(1);
    const auto [end, failure] =
        std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (failure != std::errc() || std::abs(exponent) > std::int64_t{1} << 32) return std::nullopt;
  }
  Decimal value;
  value.digits = without_leading_zeros(digits);
  value.scale = scale - exponent;
  if (value.scale != static_cast<std::int32_t>(value.scale)) return std::nullopt;
  value.negative = negative && !value.is_zero();
  return value;
}

std::string integer_text(const Decimal& value) {
  return (value.negative ? "-" : "") + value.digits;
}

std::string decimal_text(const Decimal& value) {
  std::string out = value.negative ? "-" : "";
  const auto& digits = value.digits;
  const auto adjusted = value.exponent();
  if (value.scale == 0) return out + digits;
  if (value.scale > 0 && adjusted >= -6) {
    const auto scale = static_cast<std::size_t>(value.scale);
    if (digits.size() > scale)
      return out + digits.substr(0, digits.size() - scale) + "." +
             digits.substr(digits.size() - scale);
    return out + "0." + std::string(scale - digits.size(), '0') + digits;
  }
  out += digits[0];
  if (digits.size() > 1) out += "." + digits.substr(1);
  if (adjusted == 0) return out;
  return out + (adjusted > 0 ? "E+" : "E") + std::to_string(adjusted);
}

std::int64_t whole_low(const Decimal& value) {
  const auto kept = static_cast<std::int64_t>(value.digits.size()) - value.scale;
  if (kept <= 0) return 0;
  // 10^64 and more are multiples of 2^64.
  std::uint64_t low = 0;
  for (std::int64_t i = 0; i < kept && i < static_cast<std::int64_t>(value.digits.size()); ++i)
    low = low * 10 + static_cast<std::uint64_t>(value.digits[static_cast<std::size_t>(i)] - '0');
  for (std::int64_t i = static_cast<std::int64_t>(value.digits.size()); i < kept && low != 0; ++i)
    low *= 10;
  return static_cast<std::int64_t>(value.negative ? 0 - low : low);
}

std::optional<double> parse_double(std::string_view text) {
  return parse_floating<double>(text, [](const char* from) { return std::strtod(from, nullptr); });
}

std::optional<float> parse_float(std::string_view text) {
  return parse_floating<float>(text, [](const char* from) { return std::strtof(from, nullptr); });
}

std::string double_text(double value) {
  return floating_text(value);
}
std::string float_text(float value) {
  return floating_text(value);
}

}  // namespace tailrace::cql_types
