// Python's numbers as text and from text, and rounding.
#include <charconv>
#include <cmath>

#include "jinja/python.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

std::unexpected<Error> not_an_int(const Value& value, std::int64_t base) {
  return value_error("invalid literal for int() with base " + std::to_string(base) + ": " +
                     value.repr());
}

/// Digits without their underscores; none when those stand wrongly.
std::optional<std::string> plain_digits(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const bool between = i > 0 && i + 1 < text.size() && text[i - 1] != '_' && text[i + 1] != '_' &&
                         isalnum(static_cast<unsigned char>(text[i - 1])) &&
                         isalnum(static_cast<unsigned char>(text[i + 1]));
    if (!between) return std::nullopt;
  }
  return out;
}

Result<Value> int_of_text(const Value& value, std::int64_t base) {
  std::string_view text = stripped(*value.string(), nullptr, Side::kBoth);
  if (base != 0 && (base < 2 || base > 36))
    return value_error("int() base must be >= 2 and <= 36, or 0");
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto prefixed = [&](char mark) {
    return text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == mark;
  };
  std::int64_t radix = base;
  for (const auto& [mark, of] : {std::pair{'x', 16}, std::pair{'o', 8}, std::pair{'b', 2}})
    if (prefixed(mark) && (base == of || base == 0)) {
      text.remove_prefix(text[2] == '_' ? 3 : 2);
      radix = of;
      break;
    }
  if (radix == 0) {
    if (text.size() > 1 && text[0] == '0' && text.find_first_not_of("0_") != std::string_view::npos)
      return not_an_int(value, base);
    radix = 10;
  }
  const auto digits = plain_digits(text);
  if (!digits || digits->empty() || digits->front() == '-' || digits->front() == '+')
    return not_an_int(value, base);
  const std::string signed_digits = (negative ? "-" : "") + *digits;
  std::int64_t out = 0;
  const auto [last, failed] =
      std::from_chars(signed_digits.data(), signed_digits.data() + signed_digits.size(), out,
                      static_cast<int>(radix));
  if (last != signed_digits.data() + signed_digits.size()) return not_an_int(value, base);
  if (failed != std::errc{})
    return raised("OverflowError", "an int of more than 64 bits", Code::kOutOfRange);
  return Value(out);
}

}  // namespace

Result<Value> to_int(const Value& value, std::int64_t base) {
  TRY(defined(value));
  if (value.string()) return int_of_text(value, base);
  if (const auto whole = value.index()) return Value(*whole);
  if (const double* real = value.real()) {
    if (std::isnan(*real)) return value_error("cannot convert float NaN to integer");
    if (std::isinf(*real))
      return raised("OverflowError", "cannot convert float infinity to integer");
    if (std::abs(*real) >= 9.2233720368547e18)
      return raised("OverflowError", "an int of more than 64 bits", Code::kOutOfRange);
    return Value(static_cast<std::int64_t>(*real));
  }
  return type_error("int() argument must be a string, a bytes-like object or a real number, not '" +
                    value.type_name() + "'");
}

Result<Value> to_float(const Value& value) {
  TRY(defined(value));
  if (const auto number = value.number()) return Value(*number);
  if (!value.string())
    return type_error("float() argument must be a string or a real number, not '" +
                      value.type_name() + "'");
  const std::string_view trimmed = stripped(*value.string(), nullptr, Side::kBoth);
  const auto bad = [&] {
    return value_error("could not convert string to float: " + value.repr());
  };
  auto digits = plain_digits(trimmed);
  if (!digits) return bad();
  std::string text = lower(*digits);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  if (text == "inf" || text == "infinity") return Value(negative ? -HUGE_VAL : HUGE_VAL);
  if (text == "nan") return Value(std::nan(""));
  if (text.empty() || !(isdigit(static_cast<unsigned char>(text[0])) || text[0] == '.'))
    return bad();
  double ignored = 0;
  const auto [last, failed] = std::from_chars(text.data(), text.data() + text.size(), ignored);
  if (last != text.data() + text.size() || failed == std::errc::invalid_argument) return bad();
  const double out = parse_double(text);
  return Value(negative ? -out : out);
}

std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const std::string sign = text.starts_with('-') ? "-" : "";
  if (!sign.empty()) text.remove_prefix(1);
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  int exponent = 0;
  std::string_view tail = text.substr(e + 1);
  if (tail.starts_with('+')) tail.remove_prefix(1);
  std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
  if (exponent < -4 || exponent >= 16) {
    std::string out = sign + digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    const std::string power = std::to_string(std::abs(exponent));
    return out + (exponent < 0 ? "e-" : "e+") + (power.size() < 2 ? "0" : "") + power;
  }
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string text_repr(std::string_view text) {
  const bool single =
      text.find('\'') == std::string_view::npos || text.find('"') != std::string_view::npos;
  const char quote = single ? '\'' : '"';
  std::string out(1, quote);
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto hex = [&](char32_t point, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHex[point >> shift & 15];
  };
  for (const std::string_view character : characters(text)) {
    const char32_t point = code_point(character);
    if (character.size() == 1 && (character[0] == quote || character[0] == '\\')) {
      out += '\\';
      out += character;
    } else if (point == '\n') {
      out += "\\n";
    } else if (point == '\r') {
      out += "\\r";
    } else if (point == '\t') {
      out += "\\t";
    } else if (is(CharacterKind::kPrintable, character)) {
      out += character;
    } else if (point < 0x100) {
      out += "\\x";
      hex(point, 2);
    } else if (point < 0x10000) {
      out += "\\u";
      hex(point, 4);
    } else {
      out += "\\U";
      hex(point, 8);
    }
  }
  return out + quote;
}

double round_half_even(double value, int digits) {
  if (!std::isfinite(value)) return value;
  if (digits > 17 + 308) return value;
  if (digits < -309) return std::copysign(0.0, value);
  if (digits >= 0) {
    // Through exact decimal text, as Python does.
    char buffer[800];
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits).ptr;
    return parse_double(std::string(buffer, end));
  }
  const double unit = std::pow(10.0, -digits);
  double rounded = std::nearbyint(value / unit) * unit;
  return rounded;
}

}  // namespace tailrace::jinja
