// encode and decode between texts and bytes of a named character set.
#include <algorithm>

#include "engine/functions/registry.h"
#include "engine/functions/utf8.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;

enum class Charset { kUtf8, kAscii, kLatin1, kUtf16, kUtf16be, kUtf16le };

std::optional<Charset> charset_of(Text name) {
  static constexpr std::pair<Text, Charset> kNames[] = {
      {"UTF-8", Charset::kUtf8},        {"US-ASCII", Charset::kAscii},
      {"ISO-8859-1", Charset::kLatin1}, {"UTF-16", Charset::kUtf16},
      {"UTF-16BE", Charset::kUtf16be},  {"UTF-16LE", Charset::kUtf16le}};
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const auto& [known, charset] : kNames) {
    if (upper == known) return charset;
  }
  return std::nullopt;
}

void append_unit(std::string& out, std::uint32_t unit, bool little) {
  const char high = static_cast<char>(unit >> 8);
  const char low = static_cast<char>(unit & 0xFF);
  out += little ? low : high;
  out += little ? high : low;
}

/// False when a character is not of the set.
bool encode_point(std::string& out, std::uint32_t point, Charset to) {
  if (to == Charset::kAscii || to == Charset::kLatin1) {
    if (point > (to == Charset::kAscii ? 0x7FU : 0xFFU)) return false;
    out += static_cast<char>(point);
    return true;
  }
  const bool little = to == Charset::kUtf16le;
  if (point < 0x10000) {
    append_unit(out, point, little);
  } else {
    append_unit(out, 0xD800 + ((point - 0x10000) >> 10), little);
    append_unit(out, 0xDC00 + ((point - 0x10000) & 0x3FF), little);
  }
  return true;
}

bool encoded(Text text, Charset to, std::string& out) {
  out.clear();
  if (to == Charset::kUtf8) {
    out = text;
    return true;
  }
  if (to == Charset::kUtf16 && !text.empty()) out = "\xFE\xFF";
  while (!text.empty()) {
    if (!encode_point(out, static_cast<std::uint32_t>(utf8_first(text)), to)) return false;
    text.remove_prefix(std::min(text.size(), utf8_width(text[0])));
  }
  return true;
}

void append_point(std::string& out, std::uint32_t point) {
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
}

bool decoded_utf16(Text bytes, bool little, std::string& out) {
  if (bytes.size() % 2 != 0) return false;
  const auto unit = [&](std::size_t at) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<std::uint32_t>(little ? second << 8 | first : first << 8 | second);
  };
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    std::uint32_t point = unit(at);
    if (point >= 0xDC00 && point < 0xE000) return false;
    if (point >= 0xD800 && point < 0xDC00) {
      at += 2;
      if (at >= bytes.size() || unit(at) < 0xDC00 || unit(at) >= 0xE000) return false;
      point = 0x10000 + ((point - 0xD800) << 10) + (unit(at) - 0xDC00);
    }
    append_point(out, point);
  }
  return true;
}

bool is_utf8(Text bytes) {
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes[0]);
    const std::size_t width = utf8_width(bytes[0]);
    if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || width > bytes.size()) return false;
    for (std::size_t i = 1; i < width; ++i) {
      if (!utf8_continues(bytes[i])) return false;
    }
    const auto point = static_cast<std::uint32_t>(utf8_first(bytes));
    const bool overlong = (width == 3 && point < 0x800) || (width == 4 && point < 0x10000);
    if (overlong || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return false;
    bytes.remove_prefix(width);
  }
  return true;
}

bool decoded(Text bytes, Charset from, std::string& out) {
  out.clear();
  switch (from) {
    case Charset::kUtf8:
      out = bytes;
      return is_utf8(bytes);
    case Charset::kAscii:
    case Charset::kLatin1:
      for (const char c : bytes) {
        if (from == Charset::kAscii && static_cast<unsigned char>(c) > 0x7F) return false;
        append_point(out, static_cast<unsigned char>(c));
      }
      return true;
    case Charset::kUtf16:
      if (bytes.starts_with("\xFF\xFE")) return decoded_utf16(bytes.substr(2), true, out);
      if (bytes.starts_with("\xFE\xFF")) bytes.remove_prefix(2);
      return decoded_utf16(bytes, false, out);
    case Charset::kUtf16be:
      return decoded_utf16(bytes, false, out);
    case Charset::kUtf16le:
      return decoded_utf16(bytes, true, out);
  }
  return false;
}

Kernel converted(bool (*convert)(Text, Charset, std::string&)) {
  return [convert](Call& call) {
    std::string out;
    return map_rows<Text, Text>(
        call, [&](std::int64_t row, Text value, Text name) -> std::optional<Text> {
          const auto charset = charset_of(name);
          if (!charset) {
            call.fail(row,
                      "[INVALID_PARAMETER_VALUE.CHARSET] The value of parameter(s) `charset` "
                      "in `" +
                          call.expr.name +
                          "` is invalid: expects one of the iso-8859-1, us-ascii, utf-16, "
                          "utf-16be, utf-16le, utf-32, utf-8, but got " +
                          std::string(name) + ".");
            return std::nullopt;
          }
          if (convert(value, *charset, out)) return Text(out);
          call.fail(row, "[MALFORMED_CHARACTER_CODING] Invalid value found when performing `" +
                             call.expr.name + "` with " + std::string(name));
          return std::nullopt;
        });
  };
}

}  // namespace

void add_charsets(Functions& out) {
  out.push_back({{"encode", "encode(text, charset)", "The text's bytes in a character set.",
                  "hex(encode('é', 'UTF-16BE'))", "00E9"},
                 {},
                 signature("string, string -> binary"),
                 converted(encoded)});
  out.push_back({{"decode", "decode(bytes, charset)",
                  "The text of bytes; with more arguments as CASE: decode(a, when, then, …, else).",
                  "decode(encode('abc', 'utf-8'), 'utf-8')", "abc"},
                 {},
                 signature("binary, string -> string"),
                 converted(decoded)});
}

}  // namespace tailrace::engine
