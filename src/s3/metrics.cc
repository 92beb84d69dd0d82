// Numbers of requests, one row an operation.
#include "s3/metrics.h"

#include <array>

namespace tailrace::s3 {
namespace {

/// As AWS calls them.
constexpr std::array<std::string_view, 8> kOperations = {
    "ListObjectsV2", "GetObject",      "HeadObject",         "CopyObject",
    "DeleteObject",  "ReceiveMessage", "DeleteMessageBatch", "other"};
enum Outcome : std::size_t { kOk, kNotFound, kRefused, kUnavailable };
constexpr std::array<std::string_view, 4> kOutcomes = {"ok", "not_found", "refused", "unavailable"};

struct OfOperation {
  std::array<Counter, kOutcomes.size()> outcomes;
  DurationHistogram took;
};
std::array<OfOperation, kOperations.size()> counts;
Counter received_bytes_of_all;

Outcome outcome_of(std::optional<int> status) {
  if (!status || *status == 429 || *status >= 500) return kUnavailable;
  if (*status == 404) return kNotFound;
  return *status / 100 == 2 ? kOk : kRefused;
}

std::uint64_t asked(const OfOperation& one) {
  std::uint64_t sum = 0;
  for (const Counter& outcome : one.outcomes) sum += outcome.value();
  return sum;
}

}  // namespace

void count_exchange(Operation operation, std::optional<int> status, std::chrono::nanoseconds took,
                    std::size_t received_bytes) {
  OfOperation& one = counts[static_cast<std::size_t>(operation)];
  one.outcomes[outcome_of(status)].add();
  one.took.observe(took);
  received_bytes_of_all.add(received_bytes);
}

void write_metrics(MetricsText& out) {
  std::uint64_t all = 0;
  for (const OfOperation& one : counts) all += asked(one);
  if (all == 0) return;
  out.family("tailrace_s3_requests_total", MetricType::kCounter,
             "Requests to buckets and queues, by operation and what became of them.");
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (asked(counts[i]) == 0) continue;
    for (std::size_t k = 0; k < kOutcomes.size(); ++k)
      out.add({{"operation", kOperations[i]}, {"outcome", kOutcomes[k]}},
              counts[i].outcomes[k].value());
  }
  out.family("tailrace_s3_request_duration_seconds", MetricType::kHistogram,
             "From a request to the end of its answer.");
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (asked(counts[i]) > 0)
      out.add({{"operation", kOperations[i]}}, counts[i].took, std::chrono::seconds(1));
  out.family("tailrace_s3_received_bytes_total", MetricType::kCounter,
             "Bytes of the bodies that buckets and queues answered with.");
  out.add({}, received_bytes_of_all.value());
}

}  // namespace tailrace::s3
