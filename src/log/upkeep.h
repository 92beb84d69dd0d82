// Keeps a log tidy while it is used: retention now and then, and compaction, on a thread of its
// own.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <thread>

#include "log/log.h"

namespace tailrace::log {

/// Retention once, and compaction until nothing is due. Errors as of both.
Status look_after(Log& log, const Log::KeepFrom& keep_from, const std::stop_token& stop = {});

class Upkeep {
 public:
  /// The log must outlive it. `keep_from` as in Log::apply_retention().
  Upkeep(Log& log, std::chrono::milliseconds every, Log::KeepFrom keep_from = {});
  /// Waits for a cleaning that is under way.
  ~Upkeep();

 private:
  void run(const std::stop_token& stop);
  /// A failure is told once, not every time.
  void tell(const Status& done);

  Log& log_;
  const std::chrono::milliseconds every_;
  const Log::KeepFrom keep_from_;
  std::string told_;
  std::jthread thread_;
};

}  // namespace tailrace::log
