#include "rt/room_watch.h"

#include <chrono>

#include "base/log.h"

namespace tailrace::rt {

bool RoomWatch::wait_for_room(std::string_view path) {
  if (!armed_) return false;
  std::unique_lock lock(mutex_);
  if (closed_) return false;
  if (!waiting_.exchange(true))
    LOG(error, "disk full: {} waits; work goes on by itself when there is room", path);
  closed_changed_.wait_for(lock, std::chrono::milliseconds(50), [this] { return closed_; });
  return !closed_;
}

void RoomWatch::got_room() {
  if (waiting_ && waiting_.exchange(false)) LOG(info, "there is room on the disk again");
}

void RoomWatch::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  closed_changed_.notify_all();
}

}  // namespace tailrace::rt
