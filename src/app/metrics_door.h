// Where Prometheus scrapes a program that has no control centre: `--metrics HOST:PORT`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "net/http_server.h"

namespace tailrace::app {

/// Serves GET /metrics: the process's numbers and what `write` adds; any of its threads calls it.
/// Null when no address is given.
Result<std::unique_ptr<net::HttpServer>> serve_metrics(const std::string& address,
                                                       std::function<void(MetricsText&)> write);

}  // namespace tailrace::app
