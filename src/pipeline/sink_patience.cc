#include "pipeline/sink_patience.h"

#include <chrono>
#include <thread>

namespace tailrace::pipeline {
namespace {

constexpr std::chrono::milliseconds kIdleWait{100};
constexpr std::chrono::seconds kOncePatience{120};

}  // namespace

Status load_sink_once(const ServingSink& sink,
                      const std::function<Result<bool>(const std::stop_token&)>& ready) {
  std::stop_source enough;
  const auto until = std::chrono::steady_clock::now() + kOncePatience;
  std::jthread watch([&](const std::stop_token& done) {
    while (!done.stop_requested() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(kIdleWait);
    enough.request_stop();
  });
  ASSIGN(const bool is_ready, ready(enough.get_token()));
  if (is_ready || sink.is_ready()) return {};
  return error(Code::kUnavailable, sink.waits() + "; given up");
}

Status await_sink(const ServingSink& sink) {
  auto until = std::chrono::steady_clock::now() + kOncePatience;
  while (!sink.wait(kIdleWait)) {
    const std::string why = sink.waits();
    if (why.empty()) until = std::chrono::steady_clock::now() + kOncePatience;
    if (std::chrono::steady_clock::now() > until)
      return error(Code::kUnavailable, why + "; given up: the next run goes on from here");
  }
  return {};
}

}  // namespace tailrace::pipeline
