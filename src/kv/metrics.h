// What the stores that are open in this process hold and do, RocksDB's own numbers among them.
#pragma once

#include "base/metrics.h"

namespace tailrace::kv {

/// tailrace_rocksdb_…{store}: `state` is kv::Store's, `cells` kv::DurableStore's; several of one
/// kind are one sum. Any thread.
void write_metrics(MetricsText& out);

}  // namespace tailrace::kv
