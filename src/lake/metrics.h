// What the Delta tables of this process got and hold, by table: counted where a table is changed,
// for as long as somebody has it open to change it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.h"

namespace tailrace::lake {

/// Of one table; any thread.
struct TableMetrics {
  Counter commits, failed_commits;
  Counter added_files, added_bytes;
  Counter compactions, compacted_files, vacuumed_files;
  std::atomic<std::uint64_t> files = 0, bytes = 0;  ///< of the newest version
  std::atomic<std::int64_t> last_commit_ms = 0;     ///< of this process
};

/// Those of the table in `folder`, by its last name: shared by all that have it open.
std::shared_ptr<TableMetrics> metrics_of(const std::string& folder);

/// tailrace_lake_…{table}. Any thread.
void write_metrics(MetricsText& out);

}  // namespace tailrace::lake
