// The two headers, a space between.
#include "telemetry/context_text.h"

#include <algorithm>

namespace tailrace::telemetry {

std::string context_text(const SpanContext& context) {
  return context.valid() ? traceparent(context) + " " + context.state : std::string();
}

std::optional<SpanContext> parse_context_text(std::string_view text) {
  const auto space = std::min(text.find(' '), text.size());
  return parse_context(text.substr(0, space), text.substr(std::min(space + 1, text.size())));
}

}  // namespace tailrace::telemetry
