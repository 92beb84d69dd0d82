// `tailrace registry`: the schema registry and its log alone, until a signal.
#include <csignal>
#include <iostream>
#include <thread>

#include "app/commands.h"
#include "app/registry_service.h"
#include "app/stop_signals.h"
#include "log/upkeep.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

constexpr std::chrono::seconds kUpkeepEvery{15};

Status serve(const RegistryOptions& options) {
  TRY(rt::posix_files().make_folder(options.data));
  ASSIGN(const auto held, rt::posix_files().lock_folder(options.data));
  ASSIGN(const auto log, log::Log::open(options.data + "/log", {}));
  ASSIGN(const auto registry, RegistryService::start(*log, options.listen, "--listen"));
  std::cout << "registry  " << registry->url() << "; Ctrl-C stops" << std::endl;
  {
    const log::Upkeep upkeep(*log, kUpkeepEvery);
    while (!stop_asked()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
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
