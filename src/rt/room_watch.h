// Patience with a full disk: who finds no room waits here and tries again, instead of failing.
//
//   while (write fails with ENOSPC && watch.wait_for_room(path)) try again;   watch.got_room();
//
// Nobody waits before arm() (a program that starts on a full disk should say so and end) nor after
// close() (one that stops must not hang). Shared by all who write for one owner; any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string_view>

namespace tailrace::rt {

class RoomWatch {
 public:
  /// Waits a moment; false when the write should fail. The first to wait says so in the log.
  bool wait_for_room(std::string_view path);
  /// After a write that succeeded: costs nothing when nobody waited.
  void got_room();
  bool waiting() const { return waiting_; }
  void arm() { armed_ = true; }
  void close();

 private:
  std::atomic<bool> armed_ = false;
  std::atomic<bool> waiting_ = false;
  std::mutex mutex_;
  std::condition_variable closed_changed_;
  bool closed_ = false;
};

}  // namespace tailrace::rt
