// format_string and printf: java.util.Formatter's %d %x %X %o %s %S %c %b %e %E %f %g %h %n %% with
// flags, width, precision and n$ positions, in English.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "engine/functions/decimal_rules.h"
#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"
#include "engine/functions/utf8.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;
using Id = arrow::Type::type;

struct Directive {
  std::string literal;  ///< before it
  char letter = 0;      ///< 0: only the literal
  int argument = 0;     ///< from 0
  int width = -1;
  int precision = -1;
  bool left = false, zero = false, plus = false, blank = false, comma = false, paren = false,
       alternate = false;
};

/// Takes a number off the front; -1 when there is none.
int take_number(Text& text) {
  int value = -1;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9' && value < 1'000'000) {
    value = std::max(value, 0) * 10 + (text[0] - '0');
    text.remove_prefix(1);
  }
  return value;
}

bool take_flag(Text& text, Directive& made) {
  if (text.empty()) return false;
  switch (text[0]) {
    case '-':
      made.left = true;
      break;
    case '0':
      made.zero = true;
      break;
    case '+':
      made.plus = true;
      break;
    case ' ':
      made.blank = true;
      break;
    case ',':
      made.comma = true;
      break;
    case '(':
      made.paren = true;
      break;
    case '#':
      made.alternate = true;
      break;
    default:
      return false;
  }
  text.remove_prefix(1);
  return true;
}

/// The directives of a format, or nothing when it is none.
std::optional<std::vector<Directive>> parse_format(Text text) {
  static constexpr Text kLetters = "dxXosScCbBeEfgGhHn%";
  std::vector<Directive> out;
  int next = 0;
  while (!text.empty()) {
    Directive made;
    const auto at = text.find('%');
    made.literal = text.substr(0, at);
    if (at == Text::npos) {
      out.push_back(made);
      break;
    }
    text.remove_prefix(at + 1);
    Text rest = text;
    const int position = take_number(rest);
    const bool positional = position > 0 && rest.starts_with('$');
    if (positional) text = rest.substr(1);
    while (take_flag(text, made)) {
    }
    made.width = take_number(text);
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      made.precision = take_number(text);
      if (made.precision < 0) return std::nullopt;
    }
    if (text.empty() || kLetters.find(text[0]) == Text::npos) return std::nullopt;
    made.letter = text[0];
    text.remove_prefix(1);
    if ((made.left || made.zero) && made.width < 0) return std::nullopt;
    if (made.width > 100'000 || made.precision > 100'000) return std::nullopt;
    if (made.letter != 'n' && made.letter != '%')
      made.argument = positional ? position - 1 : next++;
    out.push_back(std::move(made));
  }
  return out;
}

std::string grouped(const std::string& digits) {
  const std::size_t whole = std::min(digits.find('.'), digits.size());
  std::string out;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out + digits.substr(whole);
}

/// Sign, zeros and parentheses around the digits of a number.
std::string signed_text(const Directive& how, bool negative, std::string digits) {
  if (how.comma) digits = grouped(digits);
  std::string before, after;
  if (negative) {
    before = how.paren ? "(" : "-";
    after = how.paren ? ")" : "";
  } else if (how.plus) {
    before = "+";
  } else if (how.blank) {
    before = " ";
  }
  const auto length = static_cast<int>(before.size() + digits.size() + after.size());
  if (how.zero && how.width > length)
    digits.insert(0, static_cast<std::size_t>(how.width - length), '0');
  return before + digits + after;
}

std::optional<std::string> whole_text(const Directive& how, const arrow::Array& array,
                                      std::int64_t at) {
  if (!is_integral(*array.type())) return std::nullopt;
  const std::int64_t value = visit_fixed(*array.type(), [&]<typename T>() -> std::int64_t {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return array.data()->GetValues<T>(1)[at];
    } else {
      return 0;
    }
  });
  if (how.letter == 'd') {
    std::string digits = std::to_string(value);
    if (value < 0) digits.erase(0, 1);
    return signed_text(how, value < 0, digits);
  }
  const int bits = array.type()->bit_width();
  auto raw = static_cast<std::uint64_t>(value);
  if (bits < 64) raw &= (std::uint64_t{1} << bits) - 1;
  std::string digits = how.letter == 'o' ? fmt::format("{:o}", raw) : fmt::format("{:x}", raw);
  if (how.alternate) digits.insert(0, how.letter == 'o' ? "0" : "0x");
  if (how.zero && how.width > static_cast<int>(digits.size()))
    digits.insert(how.alternate ? 2 : 0, static_cast<std::size_t>(how.width) - digits.size(), '0');
  return digits;
}

/// The shortest decimal digits of a number that is not below 0: d.ddd × 10^exponent.
struct Digits {
  std::string text;
  int exponent = 0;

  explicit Digits(double value) {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::scientific);
    const Text made(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
    const auto at = made.find('e');
    for (const char c : made.substr(0, at)) {
      if (c != '.') text += c;
    }
    exponent = std::atoi(std::string(made.substr(at + 1)).c_str());
  }

  /// Keeps `count` digits, half up, as Java rounds %f and %e.
  void keep(int count) {
    if (count >= static_cast<int>(text.size())) return;
    const bool up = count >= 0 && text[static_cast<std::size_t>(count)] >= '5';
    text.resize(static_cast<std::size_t>(std::max(count, 0)));
    if (!up) return;
    while (!text.empty() && text.back() == '9') text.pop_back();
    if (text.empty()) {
      text = "1";
      ++exponent;
    } else {
      ++text.back();
    }
  }

  char at(int place) const {
    return place >= 0 && place < static_cast<int>(text.size())
               ? text[static_cast<std::size_t>(place)]
               : '0';
  }
};

std::string fixed(double value, int digits) {
  Digits number(value);
  number.keep(number.exponent + 1 + digits);
  std::string out = number.exponent < 0 ? "0" : "";
  for (int place = 0; place <= number.exponent; ++place) out += number.at(place);
  if (digits > 0) out += '.';
  for (int i = 1; i <= digits; ++i) out += number.at(number.exponent + i);
  return out;
}

std::string scientific(double value, int digits) {
  Digits number(value);
  number.keep(digits + 1);
  std::string out(1, number.at(0));
  if (digits > 0) out += '.';
  for (int i = 1; i <= digits; ++i) out += number.at(i);
  return out + fmt::format("e{}{:02}", number.exponent < 0 ? '-' : '+', std::abs(number.exponent));
}

std::string general(double value, int precision) {
  if (precision == 0) precision = 1;
  const double size = std::fabs(value);
  if (value == 0) return fixed(value, precision - 1);
  if (size < 1e-4 || size >= std::pow(10.0, precision)) return scientific(value, precision - 1);
  const int before = static_cast<int>(std::floor(std::log10(size))) + 1;
  return fixed(value, std::max(0, precision - before));
}

std::optional<std::string> real_text(const Directive& how, const arrow::Array& array,
                                     std::int64_t at) {
  const int digits = how.precision < 0 ? 6 : how.precision;
  if (is_decimal_type(*array.type())) {
    if (how.letter != 'f') return std::nullopt;
    const auto& decimals = static_cast<const arrow::Decimal128Array&>(array);
    const int scale = decimal_of(*array.type()).scale;
    const Decimal128 value(decimals.GetValue(at));
    const auto kept = std::min(digits, 38);
    const auto made = rescale(value, scale, {38, std::min(kept, std::max(scale, 0))});
    if (!made) return std::nullopt;
    std::string text = Decimal128(Decimal128::Abs(*made)).ToString(std::min(kept, scale));
    if (digits > scale) {
      if (scale == 0) text += '.';
      text.append(static_cast<std::size_t>(digits - scale), '0');
    }
    return signed_text(how, value.IsNegative(), text);
  }
  if (!is_floating_type(*array.type())) return std::nullopt;
  const bool wide = array.type_id() == Id::DOUBLE;
  const double value = wide ? array.data()->GetValues<double>(1)[at]
                            : static_cast<double>(array.data()->GetValues<float>(1)[at]);
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value))
    return value < 0 ? (how.paren ? "(Infinity)" : "-Infinity")
                     : (how.plus ? "+Infinity" : "Infinity");
  const double size = std::fabs(value);
  const std::string text = how.letter == 'f'            ? fixed(size, digits)
                           : (how.letter | 0x20) == 'e' ? scientific(size, digits)
                                                        : general(size, digits);
  return signed_text(how, std::signbit(value), text);
}

std::string upper_ascii(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return text;
}

std::optional<std::string> character(const arrow::Array& array, std::int64_t at) {
  if (!is_integral(*array.type()) || array.type_id() == Id::INT64) return std::nullopt;
  const std::int64_t code =
      array.type_id() == Id::INT32   ? array.data()->GetValues<std::int32_t>(1)[at]
      : array.type_id() == Id::INT16 ? array.data()->GetValues<std::int16_t>(1)[at]
                                     : array.data()->GetValues<std::int8_t>(1)[at];
  if (code < 0 || code > 0x10FFFF) return std::nullopt;
  std::string out;
  const auto point = static_cast<std::uint32_t>(code);
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += {static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 63))};
  } else if (point < 0x10000) {
    out += {static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 63)),
            static_cast<char>(0x80 | (point & 63))};
  } else {
    out += {static_cast<char>(0xF0 | point >> 18), static_cast<char>(0x80 | (point >> 12 & 63)),
            static_cast<char>(0x80 | (point >> 6 & 63)), static_cast<char>(0x80 | (point & 63))};
  }
  return out;
}

/// The argument as the directive shows it, without its width; nothing when it does not fit.
std::optional<std::string> shown(const Directive& how, const arrow::Array& array, std::int64_t at) {
  const bool null = array.IsNull(at);
  switch (how.letter) {
    case 's':
    case 'S': {
      std::string text;
      null ? void(text = "null") : append_text(text, array, at);
      if (how.precision >= 0) text = utf8_substring(text, 1, how.precision);
      return text;
    }
    case 'b':
    case 'B':
      if (null) return "false";
      if (array.type_id() != Id::BOOL) return "true";
      return static_cast<const arrow::BooleanArray&>(array).Value(at) ? "true" : "false";
    case 'c':
    case 'C':
      return null ? "null" : character(array, at);
    case 'd':
    case 'x':
    case 'X':
    case 'o':
      return null ? "null" : whole_text(how, array, at);
    case 'h':
    case 'H':
      return std::nullopt;
    default:
      if (null) return how.precision < 0 ? "null" : std::string("null", 0, how.precision);
      return real_text(how, array, at);
  }
}

void append_padded(std::string& out, const Directive& how, const std::string& text) {
  // Java counts units of UTF-16, of which a code point of four bytes has two.
  const auto pairs =
      std::ranges::count_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0xF0; });
  const int missing = how.width - utf8_length(text) - static_cast<int>(pairs);
  if (missing > 0 && !how.left) out.append(static_cast<std::size_t>(missing), ' ');
  out += text;
  if (missing > 0 && how.left) out.append(static_cast<std::size_t>(missing), ' ');
}

/// False when an argument is missing or of another type.
bool append_formatted(std::string& out, const std::vector<Directive>& format,
                      const std::vector<Value>& args, std::int64_t row) {
  for (const Directive& how : format) {
    out += how.literal;
    if (how.letter == 0) continue;
    if (how.letter == 'n' || how.letter == '%') {
      append_padded(out, how, how.letter == 'n' ? "\n" : "%");
      continue;
    }
    const auto which = static_cast<std::size_t>(how.argument) + 1;
    if (which >= args.size()) return false;
    auto text = shown(how, *args[which].array, args[which].at(row));
    if (!text) return false;
    append_padded(out, how,
                  how.letter >= 'A' && how.letter <= 'Z' ? upper_ascii(std::move(*text)) : *text);
  }
  return true;
}

Result<Array> format_rows(Call& call) {
  const Reader<Text> formats(call.args[0]);
  Sink<Text> out(call.type(), call.rows);
  std::optional<std::vector<Directive>> format;
  std::string last, text;
  bool known = false;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (formats.nulls[row]) {
      out.null(row);
      continue;
    }
    if (!known || last != formats[row]) {
      known = true;
      last = formats[row];
      format = parse_format(last);
    }
    text.clear();
    if (format && append_formatted(text, *format, call.args, row)) {
      out.set(row, text);
      continue;
    }
    call.fail(row, "[INVALID_FORMAT_STRING] The format '" + last +
                       "' does not fit its arguments: their number and types must be as its "
                       "directives say.");
    out.null(row);
  }
  return out.finish();
}

Result<BoundFunction> bind(const BindCall& call) {
  if (call.args.empty()) return wrong_count(call, "> 0");
  if (!implicit_cast(call.args[0], "string")) return wrong_argument(call, 0, "STRING");
  BoundFunction bound{{call.args.begin(), call.args.end()}, arrow::utf8()};
  bound.args[0] = arrow::utf8();
  return bound;
}

}  // namespace

void add_format_string(Functions& out) {
  out.push_back({{"format_string", "format_string(format, a, …)", "As Java's String.format.",
                  "format_string('Hello World %d %s', 100, 'days')", "Hello World 100 days"},
                 {"printf"},
                 bind,
                 format_rows});
}

}  // namespace tailrace::engine
