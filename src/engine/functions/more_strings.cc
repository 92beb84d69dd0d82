// Strings, continued: overlay, levenshtein, soundex, substring_index, find_in_set, space, elt,
// format_number, encode and decode, url_encode and url_decode.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "engine/functions/decimal_rules.h"
#include "engine/functions/evaluation.h"
#include "engine/functions/faults.h"
#include "engine/functions/registry.h"
#include "engine/functions/utf8.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;
using Int = std::int32_t;
using Long = std::int64_t;

Result<Array> overlay(Call& call) {
  const bool has_count = call.args.size() > 3;
  std::optional<Reader<Int>> counts;
  if (has_count) counts.emplace(call.args[3]);
  const Reader<Text> texts(call.args[0]), with(call.args[1]);
  const Reader<Int> from(call.args[2]);
  Sink<Text> out(call.type(), call.rows);
  std::string made;
  for (Long row = 0; row < call.rows; ++row) {
    if (texts.nulls[row] || with.nulls[row] || from.nulls[row] ||
        (has_count && counts->nulls[row])) {
      out.null(row);
      continue;
    }
    Int count = has_count ? (*counts)[row] : -1;
    if (count < 0) count = utf8_length(with[row]);
    made = utf8_substring(texts[row], 1, Long{from[row]} - 1);
    made += with[row];
    made += utf8_substring(texts[row], Long{from[row]} + count, INT32_MAX);
    out.set(row, made);
  }
  return out.finish();
}

std::vector<Int> points_of(Text text) {
  std::vector<Int> out;
  while (!text.empty()) {
    out.push_back(utf8_first(text));
    text.remove_prefix(std::min(text.size(), utf8_width(text[0])));
  }
  return out;
}

Int edit_distance(Text left, Text right) {
  const auto a = points_of(left);
  const auto b = points_of(right);
  std::vector<Int> line(b.size() + 1);
  std::iota(line.begin(), line.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    Int diagonal = line[0];
    line[0] = static_cast<Int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const Int above = line[j];
      line[j] = std::min({above + 1, line[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return line[b.size()];
}

Result<Array> levenshtein(Call& call) {
  if (call.args.size() == 2) {
    return map_rows<Text, Text>(call, [](auto, Text a, Text b) { return edit_distance(a, b); });
  }
  return map_rows<Text, Text, Int>(call, [](auto, Text a, Text b, Int most) {
    const Int distance = edit_distance(a, b);
    return distance <= most ? distance : -1;
  });
}

/// Spark's UTF8String.soundex: what does not begin with a letter stays as it is.
Text soundex_of(Text text, std::array<char, 4>& code) {
  static constexpr Text kCodes = "01230127022455012623010202";
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  if (text.empty() || upper(text[0]) < 'A' || upper(text[0]) > 'Z') return text;
  code = {upper(text[0]), '0', '0', '0'};
  char last = kCodes[static_cast<std::size_t>(code[0] - 'A')];
  std::size_t filled = 1;
  for (std::size_t i = 1; i < text.size() && filled < 4; ++i) {
    const char c = upper(text[i]);
    if (c < 'A' || c > 'Z') {
      last = '0';
      continue;
    }
    const char digit = kCodes[static_cast<std::size_t>(c - 'A')];
    if (digit == '7') continue;
    if (digit != '0' && digit != last) code[filled++] = digit;
    last = digit;
  }
  return {code.data(), 4};
}

Result<Array> soundex(Call& call) {
  std::array<char, 4> code;
  return map_rows<Text>(call, [&](auto, Text text) { return soundex_of(text, code); });
}

Text up_to_nth(Text text, Text by, Int count) {
  if (by.empty() || count == 0) return {};
  std::size_t at = count > 0 ? 0 : text.size();
  for (Int left = std::abs(count); left > 0; --left) {
    if (count > 0) {
      at = text.find(by, left == count ? 0 : at + 1);
      if (at == Text::npos) return text;
    } else {
      if (at == 0) return text;
      at = text.rfind(by, at - 1);
      if (at == Text::npos) return text;
    }
  }
  return count > 0 ? text.substr(0, at) : text.substr(at + by.size());
}

Result<Array> substring_index(Call& call) {
  return map_rows<Text, Text, Int>(
      call, [](auto, Text text, Text by, Int count) { return up_to_nth(text, by, count); });
}

Result<Array> find_in_set(Call& call) {
  return map_rows<Text, Text>(call, [](auto, Text wanted, Text list) -> Int {
    if (wanted.find(',') != Text::npos) return 0;
    for (Int at = 1;; ++at) {
      const auto end = list.find(',');
      if (list.substr(0, end) == wanted) return at;
      if (end == Text::npos) return 0;
      list.remove_prefix(end + 1);
    }
  });
}

Result<Array> space(Call& call) {
  std::string blanks;
  return map_rows<Int>(call, [&](auto, Int count) {
    blanks.assign(static_cast<std::size_t>(std::clamp(count, 0, 1 << 30)), ' ');
    return Text(blanks);
  });
}

Result<BoundFunction> bind_elt(const BindCall& call) {
  if (call.args.size() < 2) return wrong_count(call, "> 1");
  bool binary = true;
  for (const Type& type : call.args.subspan(1)) binary &= type->id() == arrow::Type::BINARY;
  const Type text = binary ? arrow::binary() : arrow::utf8();
  BoundFunction bound{{arrow::int32()}, text};
  if (!implicit_cast(call.args[0], "int")) return wrong_argument(call, 0, "INT");
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    if (!implicit_cast(call.args[i], binary ? "binary" : "string"))
      return wrong_argument(call, i, "STRING");
    bound.args.push_back(text);
  }
  return bound;
}

Result<Array> elt(Call& call) {
  const Reader<Int> which(call.args[0]);
  std::vector<Reader<Text>> texts;
  for (std::size_t i = 1; i < call.args.size(); ++i) texts.emplace_back(call.args[i]);
  Sink<Text> out(call.type(), call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    const Long at = which.nulls[row] ? 0 : Long{which[row]} - 1;
    const bool inside = at >= 0 && at < static_cast<Long>(texts.size());
    if (!which.nulls[row] && !inside) {
      call.fail(row, "[INVALID_ARRAY_INDEX] The index " + std::to_string(which[row]) +
                         " is out of bounds. The array has " + std::to_string(texts.size()) +
                         " elements. Use the SQL function `get()` to tolerate accessing element at "
                         "invalid index and return NULL instead.");
    }
    const bool null = which.nulls[row] || !inside || texts[static_cast<std::size_t>(at)].nulls[row];
    null ? out.null(row) : out.set(row, texts[static_cast<std::size_t>(at)][row]);
  }
  return out.finish();
}

/// Commas between thousands of "-1234567.89".
void append_grouped(std::string& out, Text number) {
  if (number.starts_with('-')) {
    out += '-';
    number.remove_prefix(1);
  }
  const std::size_t whole = std::min(number.find('.'), number.size());
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) out += ',';
    out += number[i];
  }
  out += number.substr(whole);
}

void append_number(std::string& out, double value, Int digits) {
  if (std::isnan(value)) return void(out += "NaN");
  if (std::isinf(value)) return void(out += value < 0 ? "-∞" : "∞");
  std::array<char, 512> buffer;
  const int cut = std::min(digits, 150);
  const int size = std::snprintf(buffer.data(), buffer.size(), "%.*f", cut, value);
  append_grouped(out, {buffer.data(), static_cast<std::size_t>(size)});
  out.append(static_cast<std::size_t>(digits - cut), '0');
}

/// Half even, as DecimalFormat rounds.
Decimal128 half_even(const Decimal128& value, int drop) {
  if (drop <= 0) return value;
  if (drop > 38) return Decimal128(0);
  const auto unit = Decimal128::GetScaleMultiplier(drop);
  const auto parts = value.Divide(unit).ValueOrDie();
  const Decimal128 rest = Decimal128::Abs(parts.second);
  const Decimal128 other(unit - rest);
  const bool odd = (parts.first.low_bits() & 1) != 0;
  if (rest < other || (rest == other && !odd)) return parts.first;
  return Decimal128(parts.first + Decimal128(value.IsNegative() ? -1 : 1));
}

void append_decimal(std::string& out, const Decimal128& value, int scale, Int digits) {
  const int kept = std::min<int>(scale, digits);
  const Decimal128 made = half_even(value, scale - kept);
  std::string text = made.ToString(kept);
  if (value.IsNegative() && made == Decimal128(0)) text.insert(0, 1, '-');
  append_grouped(out, text);
  if (digits > kept) {
    if (kept == 0) out += '.';
    out.append(static_cast<std::size_t>(digits - kept), '0');
  }
}

Result<Array> format_number(Call& call) {
  std::string out;
  return visit_fixed(call.args[0].type(), [&]<typename T>() -> Result<Array> {
    if constexpr (std::is_same_v<T, Text> || std::is_same_v<T, bool>) {
      return error(Code::kInternal, "format_number over a text");
    } else {
      const auto& type = call.args[0].type();
      const int scale = is_decimal_type(type) ? decimal_of(type).scale : 0;
      return map_rows<T, Int>(call, [&](auto, const T& value, Int digits) -> std::optional<Text> {
        if (digits < 0) return std::nullopt;
        out.clear();
        digits = std::min(digits, 10'000);
        if constexpr (std::is_floating_point_v<T>) {
          append_number(out, static_cast<double>(value), digits);
        } else if constexpr (std::is_same_v<T, Decimal128>) {
          append_decimal(out, value, scale, digits);
        } else {
          append_decimal(out, Decimal128(static_cast<Long>(value)), 0, digits);
        }
        return Text(out);
      });
    }
  });
}

Result<BoundFunction> bind_format_number(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  auto number = implicit_cast(call.args[0], "number");
  if (!number || is_string_type(*call.args[0])) return wrong_argument(call, 0, "NUMERIC");
  if (is_string_type(*call.args[1])) {
    return error(Code::kUnimplemented,
                 "format_number: a pattern is not supported yet (give the number of decimals)");
  }
  if (!is_integral(*call.args[1]) && !is_void(*call.args[1])) return wrong_argument(call, 1, "INT");
  return BoundFunction{{*number, arrow::int32()}, arrow::utf8()};
}

bool url_plain(unsigned char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' ||
         c == '-' || c == '*' || c == '_';
}

constexpr Text kHex = "0123456789ABCDEF";

Result<Array> url_encode(Call& call) {
  std::string out;
  return map_rows<Text>(call, [&](auto, Text text) {
    out.clear();
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (url_plain(byte)) {
        out += c;
      } else if (c == ' ') {
        out += '+';
      } else {
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
      }
    }
    return Text(out);
  });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool url_decoded(Text text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

Kernel url_decode(bool quiet) {
  return [quiet](Call& call) {
    std::string out;
    return map_rows<Text>(call, [&](Long row, Text text) -> std::optional<Text> {
      if (url_decoded(text, out)) return Text(out);
      if (!quiet) {
        call.fail(row,
                  "[CANNOT_DECODE_URL] The provided URL cannot be decoded: " + std::string(text) +
                      ". Please ensure that the URL is properly formatted and try again.");
      }
      return std::nullopt;
    });
  };
}

}  // namespace

void add_more_strings(Functions& out) {
  out.push_back(
      {{"overlay", "overlay(text, with, from[, count])",
        "Characters from `from` replaced by `with`.", "overlay('Spark SQL', '_', 6)", "Spark_SQL"},
       {},
       signature("string, string, int, [int] -> string"),
       overlay});
  out.push_back({{"levenshtein", "levenshtein(a, b[, most])", "Edits between the texts.",
                  "levenshtein('kitten', 'sitting')", "3"},
                 {},
                 signature("string, string, [int] -> int"),
                 levenshtein});
  out.push_back(
      {{"soundex", "soundex(text)", "How the English word sounds.", "soundex('Miller')", "M460"},
       {},
       signature("string -> string"),
       soundex});
  out.push_back({{"substring_index", "substring_index(text, by, n)",
                  "What is before the nth `by`, or after it from the end.",
                  "substring_index('www.apache.org', '.', 2)", "www.apache"},
                 {},
                 signature("string, string, int -> string"),
                 substring_index});
  out.push_back({{"find_in_set", "find_in_set(text, list)", "Its place among comma-parted words.",
                  "find_in_set('ab', 'abc,b,ab,c,def')", "3"},
                 {},
                 signature("string, string -> int"),
                 find_in_set});
  out.push_back({{"space", "space(n)", "n blanks.", "concat(space(2), '1')", "  1"},
                 {},
                 signature("int -> string"),
                 space});
  out.push_back({{"elt", "elt(n, a, …)", "The nth text.", "elt(1, 'scala', 'java')", "scala"},
                 {},
                 bind_elt,
                 elt});
  out.push_back({{"format_number", "format_number(n, decimals)", "With commas and decimals.",
                  "format_number(12332.123456, 4)", "12,332.1235"},
                 {},
                 bind_format_number,
                 format_number});
  out.push_back({{"url_encode", "url_encode(text)", "As a form's field in a URL.",
                  "url_encode('a b/c')", "a+b%2Fc"},
                 {},
                 signature("string -> string"),
                 url_encode});
  out.push_back({{"url_decode", "url_decode(text)", "The text of a form's field.",
                  "url_decode('a+b%2Fc')", "a b/c"},
                 {},
                 signature("string -> string"),
                 url_decode(false)});
  out.push_back({{"try_url_decode", "try_url_decode(text)", "As url_decode, null for other texts.",
                  "try_url_decode('%zz')", "NULL"},
                 {},
                 signature("string -> string"),
                 url_decode(true)});
}

}  // namespace tailrace::engine
