// A trace's context as one text, to be kept in a row beside what it belongs to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "telemetry/context.h"

namespace tailrace::telemetry {

/// "TRACEPARENT TRACESTATE"; "" where it is not valid.
std::string context_text(const SpanContext& context);
std::optional<SpanContext> parse_context_text(std::string_view text);

}  // namespace tailrace::telemetry
