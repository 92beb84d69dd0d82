#include "schema/testing/random_values.h"

#include <array>
#include <cstring>
#include <limits>

#include "schema/avro/plan.h"

namespace tailrace::schema::testing {
namespace {

using avro::append_long;
using avro::append_raw;
using avro::Kind;
using avro::Logical;

std::int64_t whole(RandomAvro& random, std::int64_t low, std::int64_t high) {
  if (random.one_in(6)) return random.one_in(2) ? low : high;
  if (random.one_in(2)) return static_cast<std::int64_t>(random.below(200)) - 100;
  return std::uniform_int_distribution<std::int64_t>(low, high)(random.random());
}

std::string text(RandomAvro& random) {
  static constexpr std::array<std::string_view, 6> kTexts = {
      "",
      "a",
      "sixteen letters!",
      "héllo wörld, ünïcode 日本語 😀",
      "a text of some forty letters, all of ASCII",
      "x"};
  std::string made(kTexts[random.below(kTexts.size())]);
  if (random.one_in(4)) made.append(random.below(100), 'q');
  return made;
}

void append_text(std::string& out, std::string_view bytes) {
  append_long(out, static_cast<std::int64_t>(bytes.size()));
  out += bytes;
}

void append_integer(RandomAvro& random, const avro::Type& type, std::string& out) {
  const bool is_int = type.kind == Kind::kInt;
  std::int64_t high =
      is_int ? std::numeric_limits<std::int32_t>::max() : std::numeric_limits<std::int64_t>::max();
  const Logical logical = type.logical.kind;
  if (logical >= Logical::kTimestampMillis && logical != Logical::kDuration) high /= 1'000'000;
  std::int64_t value = whole(random, logical == Logical::kNone ? -high - 1 : -high, high);
  const bool nanos =
      logical == Logical::kTimestampNanos || logical == Logical::kLocalTimestampNanos;
  append_long(out, nanos ? value * 1000 : value);
}

// A small number, in the shortest bytes or in the fixed's.
void append_decimal(RandomAvro& random, const avro::Type& type, std::string& out) {
  const bool one_byte = type.logical.precision < 5;
  const auto value =
      static_cast<std::int16_t>(whole(random, one_byte ? -9 : -9999, one_byte ? 9 : 9999));
  std::string bytes{static_cast<char>(value >> 8), static_cast<char>(value)};
  if (value >= -128 && value < 128) bytes.erase(0, 1);
  if (type.kind == Kind::kBytes) return append_text(out, bytes);
  out.append(static_cast<std::size_t>(type.defined->size) - bytes.size(),
             value < 0 ? '\xFF' : '\0');
  out += bytes;
}

void append_bytes(RandomAvro& random, const avro::Type& type, std::string& out) {
  if (type.logical.kind == Logical::kDecimal) return append_decimal(random, type, out);
  if (type.kind == Kind::kString) return append_text(out, text(random));
  std::string bytes(
      type.kind == Kind::kFixed ? static_cast<std::size_t>(type.defined->size) : random.below(20),
      '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.below(256));
  if (type.kind == Kind::kFixed)
    out += bytes;
  else
    append_text(out, bytes);
}

}  // namespace

void append_value(RandomAvro& random, const avro::Type& type, std::string& out) {
  switch (type.kind) {
    case Kind::kNull:
      return;
    case Kind::kBoolean:
      return void(out += static_cast<char>(random.below(2)));
    case Kind::kInt:
    case Kind::kLong:
      return append_integer(random, type, out);
    case Kind::kFloat:
      return append_raw(out, static_cast<float>(whole(random, -1'000'000, 1'000'000)) / 8);
    case Kind::kDouble:
      return append_raw(out,
                        static_cast<double>(whole(random, -1'000'000'000, 1'000'000'000)) / 64);
    case Kind::kEnum:
      return append_long(out,
                         static_cast<std::int64_t>(random.below(type.defined->symbols.size())));
    case Kind::kRecord:
      for (const auto& field : type.defined->fields) append_value(random, *field.type, out);
      return;
    case Kind::kUnion: {
      const std::size_t branch = random.below(type.branches.size());
      append_long(out, static_cast<std::int64_t>(branch));
      return append_value(random, *type.branches[branch], out);
    }
    case Kind::kArray:
    case Kind::kMap: {
      const bool is_map = type.kind == Kind::kMap;
      const std::size_t count = random.below(is_map ? 2 : 4);
      if (count > 0) append_long(out, static_cast<std::int64_t>(count));
      for (std::size_t i = 0; i < count; ++i) {
        if (is_map) append_text(out, text(random));
        append_value(random, *type.element, out);
      }
      return void(out += '\0');
    }
    default:
      return append_bytes(random, type, out);
  }
}

}  // namespace tailrace::schema::testing
