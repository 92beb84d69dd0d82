#include "cql_protocol/utf8.h"

#include <cstdint>
#include <cstring>

namespace tailrace::cql_protocol {
namespace {

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// How many bytes of plain ASCII `text` begins with, in steps of eight at least.
std::size_t ascii_words(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & 0x8080808080808080u) != 0) break;
  }
  return at;
}

struct Shape {
  std::size_t bytes = 0;                                // 0: no character begins so
  unsigned char second_low = 0x80, second_high = 0xBF;  // what may come second
};

Shape shape_of(unsigned char lead) {
  if (lead < 0x80) return {1};
  if (lead >= 0xC2 && lead <= 0xDF) return {2};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead >= 0xE1 && lead <= 0xEF) return {3};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {4};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {};
}

/// Of the character at the front: its length, or how many bytes are wrong.
struct Verdict {
  bool good;
  std::size_t bytes;
};

Verdict look(std::string_view text) {
  const Shape shape = shape_of(static_cast<unsigned char>(text[0]));
  if (shape.bytes <= 1) return {shape.bytes == 1, 1};
  if (text.size() > 1) {
    const auto second = static_cast<unsigned char>(text[1]);
    if (second < shape.second_low || second > shape.second_high) return {false, 1};
  }
  for (std::size_t i = 2; i < shape.bytes && i < text.size(); ++i) {
    if (!continues(text[i])) return {false, i};
  }
  const bool surrogate =
      text[0] == '\xED' && text.size() > 1 && static_cast<unsigned char>(text[1]) >= 0xA0;
  return {text.size() >= shape.bytes && !surrogate, std::min(text.size(), shape.bytes)};
}

}  // namespace

std::optional<Malformed> malformed_utf8(std::string_view text) {
  std::size_t at = ascii_words(text);
  while (at < text.size()) {
    const Verdict verdict = look(text.substr(at));
    if (!verdict.good) return Malformed{at, verdict.bytes};
    at += verdict.bytes;
    if (verdict.bytes == 1) at += ascii_words(text.substr(at));
  }
  return std::nullopt;
}

std::string_view whole_characters(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && continues(text[most])) --most;
  return text.substr(0, most);
}

}  // namespace tailrace::cql_protocol
