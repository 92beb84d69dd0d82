#include "pipeline/checkpoint_metrics.h"

namespace tailrace::pipeline {

void CheckpointMetrics::write(MetricsText& out) const {
  out.family(
      "tailrace_checkpoint_duration_seconds", MetricType::kHistogram,
      "From a checkpoint's beginning until it is durable; its count is that of checkpoints.");
  out.add({}, took_, std::chrono::seconds(1));
  out.family("tailrace_checkpoint_failures_total", MetricType::kCounter,
             "Checkpoints that failed, or waited for room on the disk.");
  out.add({}, failed_.value());
  out.family("tailrace_checkpoint_written_bytes_total", MetricType::kCounter,
             "Bytes of state that checkpoints wrote.");
  out.add({}, bytes_.value());
  out.family("tailrace_checkpoint_last_bytes", MetricType::kGauge,
             "Bytes of state that the last durable checkpoint wrote.");
  out.add({}, last_bytes_.load());
  out.family("tailrace_checkpoint_last_timestamp_seconds", MetricType::kGauge,
             "When the last checkpoint became durable; 0 before the first.");
  out.add({}, static_cast<double>(last_ms_.load()) / 1000);
}

}  // namespace tailrace::pipeline
