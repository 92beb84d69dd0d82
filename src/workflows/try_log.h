// The log of one try: lines with their times in a file, which readers may follow.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rt/clock.h"
#include "sched/rows.h"
#include "tasks/operator.h"

namespace tailrace::workflows {

/// Where a try's lines are: FOLDER/DAG/RUN/TASK[/INDEX]/TRY.log; `/` in a name is `%2F`.
std::string try_log_path(const std::string& folder, const sched::TaskId& task, int try_number);

/// Every log of the tries under way, and the files of those that are over.
class TryLogs {
 public:
  TryLogs(std::string folder, rt::Clock& clock) : folder_(std::move(folder)), clock_(clock) {}

  /// Appends to what an earlier look of the same try wrote (a sensor comes back).
  Result<std::unique_ptr<tasks::TaskLog>> open(const sched::TaskId& task, int try_number);

  struct Part {
    std::string text;
    std::uint64_t next = 0;
    bool under_way = false;
  };
  /// At most 1 MiB from byte `offset`; kNotFound where the try has written nothing. Waits up to
  /// `wait` while the try is under way and has nothing more.
  Result<Part> read(const sched::TaskId& task, int try_number, std::uint64_t offset,
                    std::chrono::milliseconds wait);

 private:
  class File;
  std::string folder_;
  rt::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable grown_;
  std::map<std::string, int> open_;  ///< path → how many write to it
  std::uint64_t changes_ = 0;        ///< lines and ends so far
};

}  // namespace tailrace::workflows
