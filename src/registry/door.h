// The door of the schema registry: Confluent's REST API over subjects::Registry.
//
// What is served, with its parameters, is the table in routes.cc. `/contexts/NAME/…` before any of
// it means that context; a subject that has an alias means its alias. Answers are JSON of the type
// that the client asked for; a refusal is {"error_code":…,"message":…} with the code's first three
// digits as status. With `auth` a client says who it is first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/http_server.h"
#include "net/route_metrics.h"
#include "registry/basic_auth.h"
#include "subjects/registry.h"

namespace tailrace::registry {

struct DoorConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8081;  ///< 0 picks a free one
  std::string flag = "--listen";
  /// Of the log that keeps the schemas; asked when a client asks.
  std::function<std::string()> cluster_id = {};
  std::shared_ptr<const net::Tls> tls = {};  ///< nullptr: plain HTTP
  BasicAuth auth = {};
};

class Door {
 public:
  /// The registry must outlive the door. kUnavailable, with the line to print, when the address is
  /// taken.
  static Result<std::unique_ptr<Door>> start(DoorConfig config, subjects::Registry& registry);

  /// "http://127.0.0.1:8081"
  std::string url() const { return server_->url(); }
  void stop() { server_->stop(); }
  /// tailrace_registry_…; any thread.
  void write_metrics(MetricsText& out) const;

 private:
  Door(subjects::Registry& registry, std::unique_ptr<net::RouteMetrics> metrics,
       std::unique_ptr<net::HttpServer> server)
      : registry_(registry), metrics_(std::move(metrics)), server_(std::move(server)) {}

  subjects::Registry& registry_;
  std::unique_ptr<net::RouteMetrics> metrics_;  ///< before the server, which counts
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace tailrace::registry
