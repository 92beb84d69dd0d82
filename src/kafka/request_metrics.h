// How many requests of each api and version were answered, and how long they took.
#pragma once

#include <array>

#include "base/metrics.h"
#include "kafka/messages/api_table.h"

namespace tailrace::kafka {

class RequestMetrics {
 public:
  /// Any thread; three atomic additions.
  void answered(const ApiInfo& api, Version version, std::chrono::nanoseconds took) {
    auto& requests = apis_[slot(static_cast<std::size_t>(api.key), apis_.size())];
    requests.versions[slot(static_cast<std::size_t>(version.value), kVersions)].add();
    requests.took.observe(took);
  }
  /// kafka_network_requestmetrics_…, of what was asked for at least once.
  void write(MetricsText& out) const;

 private:
  static constexpr std::size_t kApis = 96;
  static constexpr std::size_t kVersions = 24;
  struct Requests {
    std::array<Counter, kVersions> versions;
    DurationHistogram took;
  };
  /// What is beyond the table shares its last place; a test says that nothing is.
  static std::size_t slot(std::size_t i, std::size_t size) { return i < size ? i : size - 1; }

  std::array<Requests, kApis> apis_;
};

}  // namespace tailrace::kafka
