// What was asked of buckets and queues since the start of the process: by operation and outcome, of
// all clients together, so that the number of series does not grow with a project's buckets.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "base/metrics.h"

namespace tailrace::s3 {

enum class Operation { kList, kGet, kHead, kCopy, kDelete, kReceive, kDeleteMessages, kOther };

/// One exchange. `status`: of the answer; none: there was no answer.
void count_exchange(Operation operation, std::optional<int> status, std::chrono::nanoseconds took,
                    std::size_t received_bytes);

/// tailrace_s3_requests_total{operation, outcome}, …_request_duration_seconds{operation},
/// …_received_bytes_total; nothing where nothing was ever asked.
void write_metrics(MetricsText& out);

}  // namespace tailrace::s3
