// The queue between what receives and the source's thread.
#include "connect/inbox.h"

#include <fmt/format.h>

namespace tailrace::connect {
namespace {

/// Of a delivery without a byte in it.
constexpr std::size_t kDeliveryBytes = 128;

Status check_id(const Delivery& delivery) {
  if (delivery.id.size() <= kMaxDeliveryId) return {};
  return error(Code::kInvalidArgument,
               fmt::format("an id of {} bytes: at most {}", delivery.id.size(), kMaxDeliveryId));
}

}  // namespace

std::size_t size_of(const Delivery& delivery) {
  std::size_t bytes = kDeliveryBytes + delivery.id.size();
  for (const Delivery::Item& item : delivery.items)
    bytes += sizeof(item) + item.value.size() + (item.key ? item.key->size() : 0);
  for (const Reject& reject : delivery.rejects)
    bytes += sizeof(reject) + reject.detail.size() + reject.origin.size() + reject.bytes.size();
  return bytes;
}

/// One that is larger than the whole is let in alone.
bool Inbox::has_room(std::size_t bytes) const {
  return deliveries_ < limits_.deliveries && (bytes_ == 0 || bytes_ + bytes <= limits_.bytes);
}

Status Inbox::put(Delivery delivery, std::stop_token stop) {
  TRY(check_id(delivery));
  const std::size_t bytes = size_of(delivery);
  bool first = false;
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !open_ || closed_ || has_room(bytes); }))
      return error(Code::kCancelled, "stopped");
    if (!open_ || closed_) return error(Code::kUnavailable, "the source does not run");
    bytes_ += bytes;
    ++deliveries_;
    first = waiting_.empty();
    waiting_.push_back(std::move(delivery));
  }
  if (first) changed_.notify_all();
  return {};
}

Status Inbox::offer(Delivery delivery) {
  TRY(check_id(delivery));
  const std::size_t bytes = size_of(delivery);
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    if (!open_ || closed_) return error(Code::kUnavailable, "the source does not run");
    if (!has_room(bytes))
      return error(Code::kResourceExhausted,
                   "too much waits to be written: come again in a moment");
    bytes_ += bytes;
    ++deliveries_;
    first = waiting_.empty();
    waiting_.push_back(std::move(delivery));
  }
  if (first) changed_.notify_all();
  return {};
}

bool Inbox::wait_for_room(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] {
    return closed_ || (open_ && deliveries_ < limits_.deliveries && bytes_ < limits_.bytes);
  });
  return !stop.stop_requested() && !closed_;
}

void Inbox::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

std::deque<Delivery> Inbox::take(std::size_t records, std::chrono::milliseconds wait,
                                 std::stop_token stop) {
  std::deque<Delivery> taken;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, wait, [this] { return closed_ || !waiting_.empty(); });
  std::size_t sum = 0;
  while (!waiting_.empty()) {
    const std::size_t more = waiting_.front().items.size() + waiting_.front().rejects.size();
    if (!taken.empty() && sum + more > records) break;
    sum += more;
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return taken;
}

void Inbox::settled(std::size_t bytes, std::size_t deliveries) {
  {
    std::lock_guard lock(mutex_);
    bytes_ -= bytes;
    deliveries_ -= deliveries;
  }
  changed_.notify_all();
}

bool Inbox::closed() const {
  std::lock_guard lock(mutex_);
  return closed_ && waiting_.empty();
}

void Inbox::open(bool on) {
  std::deque<Delivery> refused;
  {
    std::lock_guard lock(mutex_);
    open_ = on;
    if (!on) {
      refused.swap(waiting_);
      for (const Delivery& delivery : refused) bytes_ -= size_of(delivery);
      deliveries_ -= refused.size();
    }
  }
  changed_.notify_all();
  for (const Delivery& delivery : refused) {
    if (delivery.done) delivery.done(error(Code::kUnavailable, "the source stops"));
  }
}

std::size_t Inbox::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace tailrace::connect
