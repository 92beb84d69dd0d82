// What Prometheus scrapes.
#pragma once

#include <string>

#include "console/console.h"

namespace tailrace::console {

inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

/// Prometheus' text format 0.0.4: the process, the pipeline's hops and tables, the broker.
std::string metrics_text(Backend& backend);

}  // namespace tailrace::console
