// The process_… metrics that every Prometheus client library shows.
#pragma once

#include "base/metrics.h"

namespace tailrace::rt {

/// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, …: what /proc says;
/// what it does not say is left out.
void write_process_metrics(MetricsText& out);

}  // namespace tailrace::rt
