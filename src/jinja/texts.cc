#include "jinja/texts.h"

#include <wctype.h>

#include <algorithm>
#include <charconv>
#include <clocale>
#include <cmath>
#include <limits>

#include "jinja/lexer.h"

namespace tailrace::jinja {
namespace {

/// glibc's tables of Unicode; without them only ASCII has case.
locale_t unicode() {
  static const locale_t kLocale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return kLocale;
}

char32_t to_upper(char32_t point) {
  if (point < 0x80) return point >= 'a' && point <= 'z' ? point - 32 : point;
  return unicode() ? towupper_l(point, unicode()) : point;
}

char32_t to_lower(char32_t point) {
  if (point < 0x80) return point >= 'A' && point <= 'Z' ? point + 32 : point;
  return unicode() ? towlower_l(point, unicode()) : point;
}

bool is_white(std::string_view character) {
  const char32_t c = code_point(character);
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

/// Format characters and private ones, which Python does not print and glibc does.
bool is_hidden(char32_t c) {
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0xAD, 0xAD},       {0x600, 0x605},     {0x61C, 0x61C},     {0x6DD, 0x6DD},
      {0x70F, 0x70F},     {0x180E, 0x180E},   {0x200B, 0x200F},   {0x2028, 0x202E},
      {0x2060, 0x206F},   {0xE000, 0xF8FF},   {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},
      {0x110BD, 0x110BD}, {0x1D173, 0x1D17A}, {0xE0000, 0x10FFFF}};
  return std::ranges::any_of(
      kRanges, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

bool cased(char32_t point) {
  return to_upper(point) != point || to_lower(point) != point;
}

void append_upper(std::string& out, char32_t point) {
  if (point == 0xdf) {
    out += "SS";
  } else {
    append_code_point(out, to_upper(point));
  }
}

}  // namespace

bool is_space(char c) {
  return c == ' ' || (c >= 9 && c <= 13);
}

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string_view first_character(std::string_view text) {
  std::size_t n = 1;
  while (n < text.size() && (text[n] & 0xC0) == 0x80) ++n;
  return text.substr(0, n);
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    out.push_back(first_character(text));
    text.remove_prefix(out.back().size());
  }
  return out;
}

std::size_t byte_of(std::string_view text, std::size_t character) {
  std::size_t byte = 0;
  for (std::size_t n = 0; n < character && byte < text.size(); ++n)
    byte += first_character(text.substr(byte)).size();
  return byte;
}

std::string_view substring(std::string_view text, std::size_t from, std::size_t to) {
  const std::size_t begin = byte_of(text, from);
  const std::string_view rest = text.substr(begin);
  return rest.substr(0, byte_of(rest, to > from ? to - from : 0));
}

char32_t code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) -> char32_t {
    return i < character.size() ? static_cast<unsigned char>(character[i]) : 0;
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) return lead;
  if (lead < 0xE0) return (lead & 0x1F) << 6 | (byte(1) & 0x3F);
  if (lead < 0xF0) return (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  return (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
}

void append_code_point(std::string& out, char32_t point) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6), put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12), put(0x80 | (point >> 6 & 0x3F)), put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18), put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F)), put(0x80 | (point & 0x3F));
  }
}

bool is(CharacterKind kind, std::string_view character) {
  const char32_t c = code_point(character);
  const bool wide = c >= 0x80 && unicode();
  switch (kind) {
    case CharacterKind::kAlpha:
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (wide && iswalpha_l(c, unicode()));
    case CharacterKind::kDigit:
      return c >= '0' && c <= '9';
    case CharacterKind::kSpace:
      return is_white(character);
    case CharacterKind::kUpper:
      return to_lower(c) != c;
    case CharacterKind::kLower:
      return to_upper(c) != c || c == 0xdf;
    case CharacterKind::kPrintable:
      if (c < 0x7f) return c >= 0x20;
      return c >= 0xa1 && !is_hidden(c) && !is_white(character) &&
             (!unicode() || iswprint_l(static_cast<wint_t>(c), unicode()));
  }
  return false;
}

std::string upper(std::string_view text) {
  std::string out;
  for (const auto character : characters(text)) append_upper(out, code_point(character));
  return out;
}

std::string lower(std::string_view text) {
  std::string out;
  for (const auto character : characters(text))
    append_code_point(out, to_lower(code_point(character)));
  return out;
}

std::string title(std::string_view text) {
  std::string out;
  bool inside = false;
  for (const auto character : characters(text)) {
    const char32_t point = code_point(character);
    append_code_point(out, inside ? to_lower(point) : to_upper(point));
    inside = cased(point);
  }
  return out;
}

std::string capitalize(std::string_view text) {
  const std::string_view first = text.empty() ? text : first_character(text);
  return upper(first) + lower(text.substr(first.size()));
}

std::string swapcase(std::string_view text) {
  std::string out;
  for (const auto character : characters(text)) {
    const char32_t point = code_point(character);
    if (to_lower(point) != point)
      append_code_point(out, to_lower(point));
    else
      append_upper(out, point);
  }
  return out;
}

std::string_view stripped(std::string_view text, const std::string* set, Side side) {
  const auto drops = [&](std::string_view character) {
    return set ? set->find(character) != std::string::npos : is_white(character);
  };
  while (side != Side::kRight && !text.empty() && drops(first_character(text)))
    text.remove_prefix(first_character(text).size());
  while (side != Side::kLeft && !text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
    if (!drops(text.substr(begin))) break;
    text = text.substr(0, begin);
  }
  return text;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to,
                     std::int64_t count) {
  std::string out;
  if (count < 0) count = std::numeric_limits<std::int64_t>::max();
  if (from.empty()) {
    for (const auto character : characters(text)) {
      if (count-- > 0) out += to;
      out += character;
    }
    if (count > 0) out += to;
    return out;
  }
  std::size_t at = 0;
  for (; count > 0; --count) {
    const std::size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    out += text.substr(at, found - at);
    out += to;
    at = found + from.size();
  }
  out += text.substr(at);
  return out;
}

namespace {

std::vector<std::string> split_blanks(std::string_view text, std::int64_t most, bool from_right) {
  std::vector<std::string> out;
  const Side near = from_right ? Side::kRight : Side::kLeft;
  text = stripped(text, nullptr, near);
  while (!text.empty()) {
    if (static_cast<std::int64_t>(out.size()) == most) {
      out.emplace_back(stripped(text, nullptr, from_right ? Side::kLeft : Side::kRight));
      out.back() = std::string(text);
      if (from_right) out.back() = std::string(stripped(text, nullptr, Side::kRight));
      break;
    }
    std::size_t n = 0;
    if (!from_right) {
      while (n < text.size() && !is_white(first_character(text.substr(n))))
        n += first_character(text.substr(n)).size();
      out.emplace_back(text.substr(0, n));
      text.remove_prefix(n);
    } else {
      n = text.size();
      while (n > 0) {
        std::size_t begin = n - 1;
        while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
        if (is_white(text.substr(begin, n - begin))) break;
        n = begin;
      }
      out.emplace_back(text.substr(n));
      text = text.substr(0, n);
    }
    text = stripped(text, nullptr, near);
  }
  if (from_right) std::ranges::reverse(out);
  return out;
}

}  // namespace

std::vector<std::string> split(std::string_view text, const std::string* separator,
                               std::int64_t most, bool from_right) {
  if (most < 0) most = std::numeric_limits<std::int64_t>::max();
  if (!separator) return split_blanks(text, most, from_right);
  std::vector<std::string> out;
  while (static_cast<std::int64_t>(out.size()) < most) {
    const std::size_t found = from_right ? text.rfind(*separator) : text.find(*separator);
    if (found == std::string_view::npos) break;
    if (from_right) {
      out.emplace_back(text.substr(found + separator->size()));
      text = text.substr(0, found);
    } else {
      out.emplace_back(text.substr(0, found));
      text.remove_prefix(found + separator->size());
    }
  }
  out.emplace_back(text);
  if (from_right) std::ranges::reverse(out);
  return out;
}

std::vector<std::string> split_lines(std::string_view text, bool keep_ends) {
  constexpr std::string_view kBreaks[] = {"\r\n",     "\n",           "\r",          "\v",
                                          "\f",       "\x1c",         "\x1d",        "\x1e",
                                          "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto* found =
        std::ranges::find_if(kBreaks, [&](auto line) { return text.substr(i).starts_with(line); });
    if (found == std::end(kBreaks)) {
      ++i;
      continue;
    }
    const std::size_t end = i + found->size();
    out.emplace_back(text.substr(begin, (keep_ends ? end : i) - begin));
    begin = i = end;
  }
  if (begin < text.size()) out.emplace_back(text.substr(begin));
  return out;
}

namespace {

/// `digits` hexadecimal digits at `at`; false when there are fewer.
bool hex_escape(std::string_view text, std::size_t at, std::size_t digits, std::string& out) {
  std::uint32_t point = 0;
  const std::string_view part = text.substr(std::min(at, text.size()), digits);
  const auto [last, failed] = std::from_chars(part.data(), part.data() + part.size(), point, 16);
  if (failed != std::errc{} || part.size() != digits || last != part.data() + part.size() ||
      point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
    return false;
  append_code_point(out, point);
  return true;
}

}  // namespace

Result<std::string> unescaped(std::string_view text, int line) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    constexpr std::string_view kNames = "abfnrtv\\'\"", kMeanings = "\a\b\f\n\r\t\v\\'\"";
    if (const auto known = kNames.find(c); known != std::string_view::npos) {
      out += kMeanings[known];
    } else if (c == '\n') {
      continue;
    } else if (c >= '0' && c <= '7') {
      char32_t point = 0;
      std::size_t n = 0;
      for (; n < 3 && i + n < text.size() && text[i + n] >= '0' && text[i + n] <= '7'; ++n)
        point = point * 8 + static_cast<char32_t>(text[i + n] - '0');
      append_code_point(out, point);
      i += n - 1;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      if (!hex_escape(text, i + 1, digits, out))
        return syntax_error("truncated \\" + std::string(1, c) + " escape", line);
      i += digits;
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

double parse_double(const std::string& text) {
  double value = 0;
  const auto [last, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc::result_out_of_range) {
    const auto exponent = text.find_first_of("eE");
    const bool tiny =
        exponent != std::string::npos && text.find('-', exponent) != std::string::npos;
    value = tiny ? 0.0 : HUGE_VAL;
    return text.starts_with('-') ? -value : value;
  }
  return value;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '\'')
      out += "&#39;";
    else if (c == '"')
      out += "&#34;";
    else
      out += c;
  }
  return out;
}

std::string url_quoted(std::string_view text, std::string_view kept, bool plus) {
  constexpr std::string_view kHex = "0123456789ABCDEF", kKept = "_.-~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && isalnum(byte)) || kKept.find(c) != std::string_view::npos ||
        kept.find(c) != std::string_view::npos) {
      out += c;
    } else if (c == ' ' && plus) {
      out += '+';
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace tailrace::jinja
