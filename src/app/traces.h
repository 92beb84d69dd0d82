// Traces of a running project, as the environment's OTEL_ variables say (telemetry/settings.h).
#pragma once

#include <memory>

#include "base/result.h"
#include "pipeline/project.h"
#include "telemetry/exporter.h"

namespace tailrace::app {

/// Null: they are off.
Result<std::shared_ptr<telemetry::Exporter>> start_traces(const pipeline::Project& project);

}  // namespace tailrace::app
