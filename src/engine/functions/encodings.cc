// Bytes and numbers as text and back: hex, unhex, base64, unbase64, bin, conv, chr, bit_length,
// octet_length.
#include <arrow/util/decimal.h>

#include <array>
#include <cctype>

#include "base/base64.h"
#include "engine/functions/faults.h"
#include "engine/functions/registry.h"
#include "engine/functions/utf8.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;
using Int = std::int32_t;
using Long = std::int64_t;

constexpr char kDigits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The number's digits in a base, written from the end of `buffer`.
Text digits_of(std::uint64_t value, unsigned base, std::array<char, 65>& buffer) {
  std::size_t at = buffer.size();
  do {
    buffer[--at] = kDigits[value % base];
    value /= base;
  } while (value != 0);
  return {buffer.data() + at, buffer.size() - at};
}

Kernel number_in_base(unsigned base) {
  return [base](Call& call) {
    std::array<char, 65> buffer;
    return map_rows<Long>(call, [&](auto, Long value) {
      return digits_of(static_cast<std::uint64_t>(value), base, buffer);
    });
  };
}

Result<Array> hex(Call& call) {
  if (call.args[0].type().id() == arrow::Type::INT64) return number_in_base(16)(call);
  std::string out;
  return map_rows<Text>(call, [&](auto, Text bytes) {
    out.clear();
    for (const char c : bytes) {
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return Text(out);
  });
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = c | 0x20;
  return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
}

Result<Array> unhex(Call& call) {
  std::string out;
  return map_rows<Text>(call, [&](auto, Text text) -> std::optional<Text> {
    out.clear();
    int high = text.size() % 2 == 1 ? 0 : -1;
    for (const char c : text) {
      const int digit = digit_value(c);
      if (digit > 15) return std::nullopt;
      if (high < 0) {
        high = digit;
        continue;
      }
      out += static_cast<char>(high << 4 | digit);
      high = -1;
    }
    return Text(out);
  });
}

Result<Array> base64(Call& call) {
  return map_rows<Text>(call, [](auto, Text bytes) { return encode_base64(bytes); });
}

/// What Java's MIME decoder takes: other characters are skipped, the last group is whole or padded.
std::optional<std::string> mime_decoded(Text text) {
  std::string kept;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '=') {
      ++padding;
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/') {
      if (padding > 0) return std::nullopt;
      kept += c;
    }
  }
  if (kept.size() % 4 == 1) return std::nullopt;
  if (padding > 0 && (kept.size() + padding) % 4 != 0) return std::nullopt;
  return decode_base64(kept);
}

Result<Array> unbase64(Call& call) {
  return map_rows<Text>(call, [&](Long row, Text text) -> std::optional<std::string> {
    auto made = mime_decoded(text);
    if (!made) {
      call.fail(row, "[CONVERSION_INVALID_INPUT] The value '" + std::string(text) +
                         "' (\"STRING\") cannot be converted to \"BINARY\" because it is "
                         "malformed. Correct the value as per the syntax, or change its format. "
                         "Use `try_to_binary` to tolerate malformed input and return NULL "
                         "instead.");
    }
    return made;
  });
}

struct Converted {
  std::uint64_t value = 0;
  bool overflow = false;
};

/// The digits of `text` that belong to the base, as an unsigned number.
Converted leading_number(Text text, int base) {
  Converted made;
  for (const char c : text) {
    const int digit = digit_value(c);
    if (digit >= base) break;
    std::uint64_t wider;
    made.overflow |= __builtin_mul_overflow(made.value, static_cast<std::uint64_t>(base), &wider);
    made.overflow |= __builtin_add_overflow(wider, static_cast<std::uint64_t>(digit), &made.value);
  }
  return made;
}

Result<Array> conv(Call& call) {
  std::string out;
  return map_rows<Text, Int, Int>(
      call, [&](Long row, Text text, Int from, Int to) -> std::optional<Text> {
        const int to_base = std::abs(to);
        while (text.starts_with(' ')) text.remove_prefix(1);
        while (text.ends_with(' ')) text.remove_suffix(1);
        if (from < 2 || from > 36 || to_base < 2 || to_base > 36 || text.empty())
          return std::nullopt;
        bool negative = text[0] == '-';
        if (negative) text.remove_prefix(1);
        auto [value, overflow] = leading_number(text, from);
        if (overflow) {
          call.fail(row,
                    "[ARITHMETIC_OVERFLOW] Overflow in function conv(). If necessary set "
                    "\"spark.sql.ansi.enabled\" to \"false\" to bypass this error.");
          return std::nullopt;
        }
        if (negative && to > 0) {
          value = static_cast<Long>(value) < 0 ? ~std::uint64_t{0} : 0 - value;
        }
        if (to < 0 && static_cast<Long>(value) < 0) {
          value = 0 - value;
          negative = true;
        }
        std::array<char, 65> buffer;
        out.assign(negative && to < 0 ? "-" : "");
        out += digits_of(value, static_cast<unsigned>(to_base), buffer);
        return Text(out);
      });
}

Result<Array> chr(Call& call) {
  std::array<char, 2> out;
  return map_rows<Long>(call, [&](auto, Long value) {
    const auto code = static_cast<unsigned>(value & 0xFF);
    if (value < 0) return Text();
    out[0] = static_cast<char>(code < 0x80 ? code : 0xC0 | code >> 6);
    out[1] = static_cast<char>(0x80 | (code & 0x3F));
    return Text(out.data(), code < 0x80 ? 1 : 2);
  });
}

Kernel measured(Int unit) {
  return [unit](Call& call) {
    return map_rows<Text>(
        call, [unit](auto, Text bytes) { return static_cast<Int>(bytes.size()) * unit; });
  };
}

}  // namespace

void add_encodings(Functions& out) {
  const Binder size = signature("string -> int; binary -> int");
  out.push_back({{"hex", "hex(value)", "A number or bytes in hexadecimal.", "hex(17)", "11"},
                 {},
                 signature("bigint -> string; string -> string; binary -> string"),
                 hex});
  out.push_back({{"unhex", "unhex(text)", "The bytes, or null when it is not hexadecimal.",
                  "decode(unhex('537061726B'), 'UTF-8')", "Spark"},
                 {},
                 signature("string -> binary"),
                 unhex});
  out.push_back({{"base64", "base64(bytes)", "In base 64.", "base64('Spark SQL')", "U3BhcmsgU1FM"},
                 {},
                 signature("binary -> string"),
                 base64});
  out.push_back({{"unbase64", "unbase64(text)", "The bytes of base 64.",
                  "decode(unbase64('U3BhcmsgU1FM'), 'UTF-8')", "Spark SQL"},
                 {},
                 signature("string -> binary"),
                 unbase64});
  out.push_back({{"bin", "bin(n)", "In binary digits.", "bin(13)", "1101"},
                 {},
                 signature("bigint -> string"),
                 number_in_base(2)});
  out.push_back({{"conv", "conv(text, from, to)", "A number from one base to another.",
                  "conv('-10', 16, -10)", "-16"},
                 {},
                 signature("string, int, int -> string"),
                 conv});
  out.push_back({{"chr", "chr(n)", "The character with that code, modulo 256.", "chr(65)", "A"},
                 {"char"},
                 signature("bigint -> string"),
                 chr});
  out.push_back(
      {{"bit_length", "bit_length(value)", "Bits of the text or bytes.", "bit_length('é')", "16"},
       {},
       size,
       measured(8)});
  out.push_back({{"octet_length", "octet_length(value)", "Bytes of the text or bytes.",
                  "octet_length('é')", "2"},
                 {},
                 size,
                 measured(1)});
}

}  // namespace tailrace::engine
