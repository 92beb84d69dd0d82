// How often each route of an HTTP door was asked, what the answers' statuses were, and how long
// they took.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"

namespace tailrace::net {

/// An address with its method: "GET", "/api/tables/*".
struct RouteName {
  std::string method, path;
};

class RouteMetrics {
 public:
  /// Routes are known by their place from here on.
  explicit RouteMetrics(std::vector<RouteName> routes);

  /// kNone: a request that no route is for.
  static constexpr std::size_t kNone = SIZE_MAX;
  /// Any thread; two atomic additions.
  void answered(std::size_t route, int status, std::chrono::nanoseconds took);
  /// PREFIX_requests_total{method, route, status} and PREFIX_request_duration_seconds{method,
  /// route}, of what was asked for at least once. `of`: whose requests, for the help.
  void write(MetricsText& out, const std::string& prefix, const std::string& of) const;

 private:
  static constexpr std::size_t kStatuses = 24;
  struct Counts {
    std::array<Counter, kStatuses> statuses;
    DurationHistogram took;
  };

  std::vector<RouteName> routes_;  ///< the last one: none
  std::vector<Counts> counts_;
};

}  // namespace tailrace::net
