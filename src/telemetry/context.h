// Which trace something belongs to, and how that travels: the headers `traceparent` and
// `tracestate` of W3C Trace Context (https://www.w3.org/TR/trace-context/), in HTTP requests and in
// records' headers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::telemetry {

inline constexpr std::string_view kTraceParent = "traceparent", kTraceState = "tracestate";

struct SpanContext {
  std::array<std::uint8_t, 16> trace_id{};  ///< all zero: none
  std::array<std::uint8_t, 8> span_id{};
  bool sampled = false;
  std::string state = {};  ///< of vendors, passed on as it came

  bool valid() const;
  /// Of the same span.
  bool same(const SpanContext& other) const {
    return trace_id == other.trace_id && span_id == other.span_id;
  }
};

/// Nothing when `parent` is no traceparent, or one of zeros. A `state` that is too long or has
/// other characters than the standard's is left out.
std::optional<SpanContext> parse_context(std::string_view parent, std::string_view state = {});
/// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
std::string traceparent(const SpanContext& context);

}  // namespace tailrace::telemetry
