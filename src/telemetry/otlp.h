// Spans as OTLP has them: ExportTraceServiceRequest of opentelemetry/proto/collector/trace/v1, as
// Protobuf's bytes or in its JSON mapping (ids in hex, 64-bit numbers as strings).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/settings.h"
#include "telemetry/span.h"

namespace tailrace::telemetry {

using Spans = std::span<const std::unique_ptr<SpanData>>;

std::string otlp_protobuf(const Pairs& resource, Spans spans);
std::string otlp_json(const Pairs& resource, Spans spans);

/// Spans that the answer's partial_success refuses; 0 also where it says nothing that can be read.
std::int64_t rejected_spans(std::string_view answer, bool json);

}  // namespace tailrace::telemetry
