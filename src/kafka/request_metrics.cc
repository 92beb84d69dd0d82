#include "kafka/request_metrics.h"

#include <algorithm>
#include <string>

namespace tailrace::kafka {

void RequestMetrics::write(MetricsText& out) const {
  out.family("kafka_network_requestmetrics_requests_total", MetricType::kCounter,
             "Requests answered, by api and version.");
  for (const ApiInfo& api : apis()) {
    const auto& versions = apis_[slot(static_cast<std::size_t>(api.key), apis_.size())].versions;
    for (std::size_t v = 0; v < versions.size(); ++v) {
      const auto count = versions[v].value();
      if (count == 0) continue;
      out.add({{"request", api.name}, {"version", std::to_string(v)}}, count);
    }
  }
  out.family("kafka_network_requestmetrics_totaltimems", MetricType::kHistogram,
             "Milliseconds from a request's arrival to its answer, waiting included.");
  for (const ApiInfo& api : apis()) {
    const auto& requests = apis_[slot(static_cast<std::size_t>(api.key), apis_.size())];
    const bool any = std::ranges::any_of(requests.versions,
                                         [](const Counter& count) { return count.value() > 0; });
    if (any) out.add({{"request", api.name}}, requests.took, std::chrono::milliseconds(1));
  }
}

}  // namespace tailrace::kafka
