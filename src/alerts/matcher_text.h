// Matchers, labels' names and durations as people write them.
#pragma once

#include <optional>
#include <string_view>

#include "alerts/settings.h"

namespace tailrace::alerts {

/// `500ms`, `5s`, `10m`, `4h`, `7d`.
std::optional<Ms> parse_duration(std::string_view text);

/// Prometheus' names of labels: [a-zA-Z_][a-zA-Z0-9_]*.
bool is_label(std::string_view name);

/// Any text as such a name: what does not fit becomes `_`.
std::string as_label(std::string_view text);

}  // namespace tailrace::alerts
