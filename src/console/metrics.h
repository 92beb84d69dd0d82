// What Prometheus scrapes.
#pragma once

#include <string>
#include <vector>

#include "console/console.h"

namespace tailrace::console {

/// Prometheus' text format 0.0.4.
std::string metrics_text(const Status& status, const std::vector<TableInfo>& tables);

}  // namespace tailrace::console
