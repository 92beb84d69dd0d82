// `tailrace registry`: the schema registry and its log alone, until a signal.
#include <csignal>
#include <iostream>

#include "app/commands.h"
#include "app/metrics_door.h"
#include "app/registry_service.h"
#include "app/stop_signals.h"
#include "log/log.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

Status serve(const RegistryOptions& options) {
  TRY(rt::posix_files().make_folder(options.data));
  ASSIGN(const auto held, rt::posix_files().lock_folder(options.data));
  const std::string folder = options.data + "/log";
  ASSIGN(const auto log, log::Log::open(folder, {}));
  ASSIGN(const auto registry, RegistryService::open(*log));
  TRY(registry->start({.listen = options.listen,
                       .config = options.config,
                       .settings = options.settings,
                       .folder = folder}));
  ASSIGN(const auto metrics,
         serve_metrics(options.metrics, [&](MetricsText& out) { registry->write_metrics(out); }));
  if (metrics) std::cout << "metrics  " << metrics->url() << "/metrics\n";
  std::cout << "registry  " << registry->url() << "; Ctrl-C stops" << std::endl;
  keep_until_stop(*log);
  if (metrics) metrics->stop();
  registry->stop();
  return log->close();
}

}  // namespace

int registry_command(const RegistryOptions& options) {
  watch_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);
  const auto served = serve(options);
  return served ? 0 : fail(served.error());
}

}  // namespace tailrace::app
