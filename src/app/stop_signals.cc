#include "app/stop_signals.h"

#include <atomic>
#include <csignal>

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

}  // namespace tailrace::app
