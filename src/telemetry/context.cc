#include "telemetry/context.h"

#include <algorithm>

namespace tailrace::telemetry {
namespace {

constexpr std::size_t kLength = 55;
constexpr std::size_t kMostState = 512;
constexpr std::string_view kDigits = "0123456789abcdef";

/// Lower case only, as the standard says; false where it is not that.
template <std::size_t N>
bool read_hex(std::string_view text, std::array<std::uint8_t, N>& out) {
  if (text.size() != 2 * N) return false;
  for (std::size_t i = 0; i < N; ++i) {
    const auto high = kDigits.find(text[2 * i]), low = kDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

template <std::size_t N>
void append_hex(const std::array<std::uint8_t, N>& bytes, std::string& out) {
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

bool is_zero(const auto& bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

bool SpanContext::valid() const {
  return !is_zero(trace_id) && !is_zero(span_id);
}

std::optional<SpanContext> parse_context(std::string_view parent, std::string_view state) {
  if (parent.size() < kLength || parent[2] != '-' || parent[35] != '-' || parent[52] != '-')
    return std::nullopt;
  std::array<std::uint8_t, 1> version{}, flags{};
  SpanContext context;
  if (!read_hex(parent.substr(0, 2), version) || version[0] == 0xFF) return std::nullopt;
  if (!read_hex(parent.substr(3, 32), context.trace_id)) return std::nullopt;
  if (!read_hex(parent.substr(36, 16), context.span_id)) return std::nullopt;
  if (!read_hex(parent.substr(53, 2), flags)) return std::nullopt;
  // Later versions may have more at the end, after a dash.
  if (parent.size() > kLength && (version[0] == 0 || parent[kLength] != '-')) return std::nullopt;
  if (!context.valid()) return std::nullopt;
  context.sampled = (flags[0] & 1) != 0;
  const bool plain = std::ranges::all_of(state, [](char c) { return c >= ' ' && c <= '~'; });
  if (plain && state.size() <= kMostState) context.state = state;
  return context;
}

std::string traceparent(const SpanContext& context) {
  std::string text = "00-";
  text.reserve(kLength);
  append_hex(context.trace_id, text);
  text += '-';
  append_hex(context.span_id, text);
  text += context.sampled ? "-01" : "-00";
  return text;
}

}  // namespace tailrace::telemetry
