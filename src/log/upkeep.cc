#include "log/upkeep.h"

#include <condition_variable>
#include <mutex>

#include "base/log.h"

namespace tailrace::log {

Status look_after(Log& log, const Log::KeepFrom& keep_from, const std::stop_token& stop) {
  TRY(log.apply_retention(keep_from));
  while (!stop.stop_requested()) {
    ASSIGN(const auto cleaned, log.clean());
    if (!cleaned) break;
    LOG_OF(debug, log_of("topic", cleaned->topic, "partition", cleaned->partition.value),
           "{}-{}: compacted {} to {} bytes", cleaned->topic, cleaned->partition.value,
           cleaned->counts.bytes_read, cleaned->counts.bytes_kept);
  }
  return {};
}

Upkeep::Upkeep(Log& log, std::chrono::milliseconds every, Log::KeepFrom keep_from)
    : log_(log),
      every_(every),
      keep_from_(std::move(keep_from)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Upkeep::~Upkeep() {
  thread_.request_stop();
  thread_.join();
}

void Upkeep::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stopped.wait_for(lock, stop, every_, [&] { return stop.stop_requested(); })) {
    tell(log::look_after(log_, keep_from_, stop));
  }
}

void Upkeep::tell(const Status& done) {
  const std::string what = done ? "" : done.error().what;
  if (!what.empty() && what != told_) LOG(warn, "looking after the log: {}", what);
  told_ = what;
}

}  // namespace tailrace::log
