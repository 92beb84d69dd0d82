#include "net/route_metrics.h"

#include <algorithm>

namespace tailrace::net {
namespace {

/// The statuses that doors answer with. 0: any other.
constexpr std::array<int, 24> kKnown = {200, 201, 202, 204, 207, 304, 400, 401, 403, 404, 405, 406,
                                        409, 412, 413, 415, 421, 422, 429, 500, 502, 503, 504, 0};

std::size_t place_of(int status) {
  const auto found = std::ranges::find(kKnown, status);
  return static_cast<std::size_t>(
      std::min<std::ptrdiff_t>(found - kKnown.begin(), kKnown.size() - 1));
}

}  // namespace

RouteMetrics::RouteMetrics(std::vector<RouteName> routes) : routes_(std::move(routes)) {
  routes_.push_back({"*", "none"});
  counts_ = std::vector<Counts>(routes_.size());
}

void RouteMetrics::answered(std::size_t route, int status, std::chrono::nanoseconds took) {
  Counts& counts = counts_[std::min(route, counts_.size() - 1)];
  counts.statuses[place_of(status)].add();
  counts.took.observe(took);
}

void RouteMetrics::write(MetricsText& out, const std::string& prefix, const std::string& of) const {
  static_assert(kKnown.size() == kStatuses);
  out.family(prefix + "_requests_total", MetricType::kCounter,
             of + ", by route and status of the answer.");
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    for (std::size_t k = 0; k < kStatuses; ++k) {
      const auto count = counts_[i].statuses[k].value();
      const std::string status = kKnown[k] == 0 ? "other" : std::to_string(kKnown[k]);
      if (count > 0)
        out.add({{"method", routes_[i].method}, {"route", routes_[i].path}, {"status", status}},
                count);
    }
  }
  out.family(prefix + "_request_duration_seconds", MetricType::kHistogram,
             of + ": from a whole request to its answer.");
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const bool any = std::ranges::any_of(counts_[i].statuses,
                                         [](const Counter& count) { return count.value() > 0; });
    if (any)
      out.add({{"method", routes_[i].method}, {"route", routes_[i].path}}, counts_[i].took,
              std::chrono::seconds(1));
  }
}

}  // namespace tailrace::net
