#include "cql_types/uuid.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace tailrace::cql_types {
namespace {

constexpr std::int64_t kEpochMs = -12'219'292'800'000;  // 1582-10-15
constexpr std::uint64_t kSigns = 0x8080808080808080;

// RFC 4122's low, middle and high of the time, with the version on top.
std::uint64_t time_first(std::uint64_t high) {
  return high << 48 | (high << 16 & 0xFFFF00000000) | high >> 32;
}
std::uint64_t time_back(std::uint64_t ordered) {
  return ordered << 32 | (ordered >> 16 & 0xFFFF0000) | ordered >> 48;
}

std::string bytes_of(std::uint64_t high, std::uint64_t low) {
  std::string bytes;
  append_be(bytes, high);
  append_be(bytes, low);
  return bytes;
}

// `ticks` of 100 ns since 1582.
std::string timeuuid_at(std::int64_t ticks, std::uint64_t low) {
  const auto time = (static_cast<std::uint64_t>(ticks) & 0x0FFFFFFFFFFFFFFF) | 0x1000000000000000;
  return bytes_of(time_back(time), low);
}

std::int64_t ticks_of_ms(std::int64_t unix_ms) {
  // Wraps as two's complement does, far outside of what a timeuuid can say.
  return static_cast<std::int64_t>(
      (static_cast<std::uint64_t>(unix_ms) - static_cast<std::uint64_t>(kEpochMs)) * 10'000);
}

}  // namespace

std::pair<std::uint64_t, std::uint64_t> uuid_order(std::string_view bytes) {
  const auto high = load_be<std::uint64_t>(bytes.data());
  const auto low = load_be<std::uint64_t>(bytes.data() + 8);
  const auto version = high >> 12 & 0xF;
  if (version == 1) return {time_first(high), low};
  return {version << 60 | (high >> 4 & 0x0FFFFFFFFFFFF000) | (high & 0xFFF), low};
}

std::string from_uuid_order(std::uint64_t high, std::uint64_t low) {
  const auto version = high >> 60;
  if (version == 1) return bytes_of(time_back(high), low);
  return bytes_of((high << 4 & 0xFFFFFFFFFFFF0000) | version << 12 | (high & 0xFFF), low);
}

std::pair<std::uint64_t, std::uint64_t> timeuuid_order(std::string_view bytes) {
  return {time_first(load_be<std::uint64_t>(bytes.data())),
          load_be<std::uint64_t>(bytes.data() + 8) ^ kSigns};
}

std::string from_timeuuid_order(std::uint64_t high, std::uint64_t low) {
  return bytes_of(time_back(high), low ^ kSigns);
}

std::string uuid_text(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
  }
  return text;
}

std::optional<std::string> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string bytes;
  int half = -1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return std::nullopt;
      continue;
    }
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    if (half >= 0) bytes += static_cast<char>(half << 4 | digit);
    half = half >= 0 ? -1 : digit;
  }
  return bytes;
}

std::string min_timeuuid(std::int64_t unix_ms) {
  return timeuuid_at(ticks_of_ms(unix_ms), kSigns);
}

std::string max_timeuuid(std::int64_t unix_ms) {
  return timeuuid_at(ticks_of_ms(unix_ms) + 9'999, 0x7F7F7F7F7F7F7F7F);
}

std::int64_t timeuuid_unix_us(std::string_view bytes) {
  const auto time = time_first(load_be<std::uint64_t>(bytes.data())) & 0x0FFFFFFFFFFFFFFF;
  return static_cast<std::int64_t>(time) / 10 + kEpochMs * 1'000;
}

std::int64_t timeuuid_unix_ms(std::string_view bytes) {
  return timeuuid_unix_us(bytes) / 1'000;
}

TimeuuidSource::TimeuuidSource(std::uint64_t random)
    : low_((random & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000 | 0x0000010000000000) {}

std::string TimeuuidSource::next(std::int64_t unix_ms) {
  auto last = last_us_.load(std::memory_order_relaxed);
  std::int64_t now = 0;
  do {
    now = std::max(last + 1, unix_ms * 1'000);
  } while (!last_us_.compare_exchange_weak(last, now, std::memory_order_relaxed));
  return timeuuid_at(now * 10 - kEpochMs * 10'000, low_);
}

}  // namespace tailrace::cql_types
