#include "app/metrics_door.h"

#include "app/host_port.h"
#include "console/metrics.h"
#include "rt/process_metrics.h"

namespace tailrace::app {
namespace {

net::Response answer(const std::function<void(MetricsText&)>& write, const net::Request& request) {
  net::Response response;
  if (request.path != "/metrics" || request.method != "GET") {
    response.status = 404;
    response.body = "only GET /metrics is here\n";
    return response;
  }
  MetricsText text;
  rt::write_process_metrics(text);
  write(text);
  response.content_type = console::kMetricsType;
  response.body = text.finish();
  return response;
}

}  // namespace

Result<std::unique_ptr<net::HttpServer>> serve_metrics(const std::string& address,
                                                       std::function<void(MetricsText&)> write) {
  if (address.empty()) return nullptr;
  constexpr const char* kFlag = "--metrics";
  ASSIGN(const auto at, host_port(address, kFlag));
  net::HttpServerConfig config{.host = at.host, .port = at.port, .flag = kFlag};
  config.limits.workers = 1;
  return net::HttpServer::start(
      std::move(config),
      [write = std::move(write)](const net::Request& request) { return answer(write, request); });
}

}  // namespace tailrace::app
