// `tailrace serve`: CQL's tables and their door alone, until a signal.
#include <csignal>
#include <iostream>

#include "app/commands.h"
#include "app/cql_service.h"
#include "app/metrics_door.h"
#include "app/stop_signals.h"
#include "kv/metrics.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

Status serve(const ServeOptions& options) {
  TRY(rt::posix_files().make_folder(options.data));
  ASSIGN(const auto held, rt::posix_files().lock_folder(options.data));
  ASSIGN(const auto service, CqlService::open(options.data + "/cql", options.logins));
  service->engine().set_materialized_views(options.materialized_views);
  TRY(service->start({.listen = options.listen, .tls = options.tls}));
  ASSIGN(const auto metrics, serve_metrics(options.metrics, [&](MetricsText& out) {
           service->write_metrics(out);
           kv::write_metrics(out);
         }));
  if (metrics) std::cout << "metrics  " << metrics->url() << "/metrics\n";
  std::cout << "cql  " << service->address() << "; Ctrl-C stops" << std::endl;
  wait_for_stop();
  if (metrics) metrics->stop();
  service->stop();
  return {};
}

}  // namespace

int serve_command(const ServeOptions& options) {
  watch_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);
  const auto served = serve(options);
  return served ? 0 : fail(served.error());
}

}  // namespace tailrace::app
