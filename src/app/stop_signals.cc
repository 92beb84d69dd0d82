#include "app/stop_signals.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "log/upkeep.h"
#include "rt/start_pages.h"

namespace tailrace::app {
namespace {

std::atomic<bool> g_asked = false;

void note(int) {
  g_asked = true;
}

}  // namespace

void watch_stop_signals() {
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}

bool stop_asked() {
  return g_asked;
}

void wait_for_stop() {
  rt::forget_start_pages();
  while (!stop_asked()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

void keep_until_stop(log::Log& log) {
  constexpr std::chrono::seconds kUpkeepEvery{15};
  const log::Upkeep upkeep(log, kUpkeepEvery);
  wait_for_stop();
}

}  // namespace tailrace::app
