// `tailrace run`: until a signal, once, or until every served table has rows.
#include <csignal>
#include <iostream>
#include <thread>

#include "app/commands.h"
#include "app/instance.h"
#include "app/stop_signals.h"
#include "base/log.h"
#include "rt/start_pages.h"

namespace tailrace::app {
namespace {

void print_hops(const std::vector<pipeline::Hop>& hops) {
  for (const pipeline::Hop& hop : hops) std::cout << hop_line(hop) << "\n";
  std::cout.flush();
}

/// The windows of a stream close when time has passed: a served table that only waits for that is
/// no failure.
bool rows_served(const std::vector<pipeline::Hop>& hops) {
  bool any = false;
  for (const pipeline::Hop& hop : hops)
    if (hop.kind == pipeline::HopKind::kServed) any = any || hop.count > 0;
  return any;
}

/// Waits for the first served rows, a signal, a stop, or the time; says on the terminal what came.
bool wait_for_rows(Instance& instance, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!stop_asked() && std::chrono::steady_clock::now() < end && instance.stopped_by().empty()) {
    if (rows_served(instance.hops())) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return rows_served(instance.hops());
}

int finish(Instance& instance, int code) {
  if (auto stopped = instance.stop(); !stopped) return fail(stopped.error());
  return code;
}

int run_until_signal(Instance& instance) {
  if (!instance.console_url().empty())
    std::cout << "control centre  " << instance.console_url() << std::endl;
  if (!instance.kafka_address().empty())
    std::cout << "kafka           " << instance.kafka_address() << std::endl;
  if (!instance.registry_url().empty())
    std::cout << "registry        " << instance.registry_url() << std::endl;
  if (!instance.cql_address().empty())
    std::cout << "cql             " << instance.cql_address() << std::endl;
  if (!instance.airflow_url().empty())
    std::cout << "airflow API     " << instance.airflow_url() << std::endl;
  if (!instance.hooks_url().empty())
    std::cout << "webhooks        " << instance.hooks_url() << "/hooks/NAME" << std::endl;
  const bool rows = wait_for_rows(instance, std::chrono::seconds(10));
  const auto hops = instance.hops();
  print_hops(hops);
  if (rows)
    std::cout << "rows are served after " << static_cast<std::int64_t>(instance.uptime_s() * 1000)
              << " ms; Ctrl-C stops" << std::endl;
  else if (!stop_asked())
    std::cout << "no row is served yet: " << pipeline::explain_first_empty(hops) << std::endl;
  rt::forget_start_pages();
  while (!stop_asked() && instance.stopped_by().empty())
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return finish(instance, 0);
}

}  // namespace

int run_command(const RunOptions& options, bool check) {
  watch_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);
  auto opened = Instance::open(options);
  if (!opened) return fail(opened.error());
  Instance& instance = **opened;
  if (options.once) {
    const std::jthread watch([&instance](const std::stop_token& done) {
      while (!done.stop_requested() && !stop_asked())
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (stop_asked()) instance.runner().interrupt();
    });
    if (auto done = instance.run_once(); !done) return fail(done.error());
    print_hops(instance.hops());
    return finish(instance, 0);
  }
  if (auto started = instance.start(); !started) return fail(started.error());
  if (!check) return run_until_signal(instance);
  const bool rows = wait_for_rows(instance, std::chrono::seconds(60));
  print_hops(instance.hops());
  if (!rows) std::cerr << "tailrace: " << pipeline::explain_first_empty(instance.hops()) << "\n";
  return finish(instance, rows ? 0 : 1);
}

}  // namespace tailrace::app
