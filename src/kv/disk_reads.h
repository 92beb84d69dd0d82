// Pieces of tables' files brought from the disk, many at a time on few threads: past the page
// cache, whose own work for a page that is looked at once costs more than the rest of the read, and
// by Linux's asynchronous I/O (io_submit(2)), so that no thread waits for each.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "kv/quick_reads.h"

namespace tailrace::kv {

class DiskReads {
 public:
  using Work = std::move_only_function<void()>;

  /// `around` runs in the threads, for all that arrived at once: it calls what it is given.
  explicit DiskReads(int threads, std::function<void(const std::function<void()>&)> around = {});
  /// Ends when all is brought and what was to follow has run.
  ~DiskReads();
  DiskReads(const DiskReads&) = delete;
  DiskReads& operator=(const DiskReads&) = delete;

  /// Brings what `pieces` wants; then runs `then`, in one of its threads. It then has one more
  /// piece; where it has not (nothing was wanted, there is no such I/O here, the disk failed), what
  /// it is wanted for is to be read by who may wait. `then` may run before bring() is back, and
  /// must not wait itself. `pieces` lives until then. Any thread.
  void bring(Pieces& pieces, Work then);

 private:
  struct Request;

  void loop();
  void end(Request* request, std::int64_t read);

  std::function<void(const std::function<void()>&)> around_;
  unsigned long context_ = 0;  ///< the kernel's; 0: there is none
  std::atomic<std::size_t> begun_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace tailrace::kv
