// Sends ended spans to a collector by OTLP/HTTP, from a thread of its own.
//
// Spans wait in a bounded queue: what does not fit is dropped and counted, nothing waits for a
// collector. A batch that is refused for now (429, 502, 503, 504, no connection) is tried again,
// after Retry-After or 1 s, 2 s, 4 s … 30 s, at most five times; meanwhile the queue fills. Other
// answers drop it. The first failure in a row is logged, and the recovery.
//
//   start() → spans … → stop(), which sends what waits, for at most two seconds
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "telemetry/settings.h"
#include "telemetry/span.h"

namespace tailrace::telemetry {

class Exporter final : public SpanSink {
 public:
  explicit Exporter(Settings settings);
  ~Exporter() override { stop(); }

  /// Makes it the process's sink (set_sink).
  static std::shared_ptr<Exporter> start(Settings settings);
  /// No spans from here on. Twice is once.
  void stop();

  bool sample(const SpanContext& parent, const SpanContext& child) override;
  void take(std::unique_ptr<SpanData> span) override;

  struct Counts {
    Counter exported;
    Counter full;      ///< dropped: the queue was full
    Counter refused;   ///< dropped: the collector did not take them
    Counter failures;  ///< requests that failed, tried again or not
  };
  const Counts& counts() const { return counts_; }
  void write_metrics(MetricsText& out) const;
  /// "http://localhost:4318/v1/traces", without what might be secret.
  std::string where() const;

 private:
  using Batch = std::vector<std::unique_ptr<SpanData>>;
  enum class Sent { kDone, kAgain, kDropped };

  void loop(const std::stop_token& stop);
  bool next_batch(Batch& batch, const std::stop_token& stop);
  void send(const Batch& batch, const std::stop_token& stop);
  Sent try_send(const Batch& batch, std::chrono::milliseconds& wait);
  void failed(const std::string& what);

  const Settings settings_;
  Counts counts_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::unique_ptr<SpanData>> waiting_;
  bool stopped_ = false;
  std::chrono::steady_clock::time_point give_up_ = std::chrono::steady_clock::time_point::max();
  bool failing_ = false;  ///< the thread's
  std::jthread thread_;
};

}  // namespace tailrace::telemetry
