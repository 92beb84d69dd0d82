// Code points in UTF-8 texts.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailrace::engine {

inline bool utf8_continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// Bytes of the code point that begins with `first`.
inline std::size_t utf8_width(char first) {
  const auto c = static_cast<unsigned char>(first);
  return c < 0xC0 ? 1 : (c < 0xE0 ? 2 : (c < 0xF0 ? 3 : 4));
}

inline std::int32_t utf8_length(std::string_view text) {
  std::int32_t count = 0;
  for (const char c : text) count += !utf8_continues(c);
  return count;
}

/// Byte at which code point `index` (from 0) begins; past the end when there are fewer.
inline std::size_t utf8_offset(std::string_view text, std::int64_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += utf8_width(text[at]);
  return index > 0 ? text.size() + 1 : at;
}

/// Spark's substring: `from` 1 is the first, 0 too, negative counts from the end.
inline std::string_view utf8_substring(std::string_view text, std::int64_t from,
                                       std::int64_t count) {
  const std::int64_t length = utf8_length(text);
  std::int64_t start = from > 0 ? from - 1 : (from < 0 ? length + from : 0);
  const std::int64_t end = start + count;
  if (start < 0) start = 0;
  if (end <= start || start >= length) return {};
  const std::size_t first = utf8_offset(text, start);
  const std::size_t last = end >= length ? text.size() : utf8_offset(text, end);
  return text.substr(first, last - first);
}

inline std::int32_t utf8_first(std::string_view text) {
  if (text.empty()) return 0;
  const auto c = static_cast<unsigned char>(text[0]);
  if (c < 0x80) return c;
  std::int32_t point = c & (c < 0xE0 ? 0x1F : (c < 0xF0 ? 0x0F : 0x07));
  for (std::size_t i = 1; i < utf8_width(text[0]) && i < text.size(); ++i) {
    point = (point << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  return point;
}

}  // namespace tailrace::engine
