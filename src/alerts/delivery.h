// Takes messages out of the store to the channels: a thread a channel, so that a dead one holds up
// no other.
//
// Messages of a channel go in their order. What did not arrive is tried again after 1 s, 2 s, 4 s …
// 5 min, or when the other side asks for it, for kGiveUp; then it is refused. What may have arrived
// is not sent again, unless the channel takes the same twice as one, or says at_least_once.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "alerts/channel.h"
#include "alerts/store.h"
#include "base/metrics.h"
#include "rt/clock.h"

namespace tailrace::alerts {

inline constexpr Ms kGiveUp = 24 * 3'600'000LL;

/// What a try made of a message: its next state. Pure.
void settle(Outgoing& one, const Attempt& attempt, bool may_send_twice, Ms now);
/// What becomes of a message that a crash left sending; false: it is over.
bool take_up(Outgoing& one, bool may_send_twice, Ms now);

class Delivery {
 public:
  struct Counts {
    Counter sent, refused, unknown, retried;
  };
  struct ChannelState {
    std::string name, type, where, off;
    std::int64_t waiting = 0;
    std::uint64_t sent = 0, refused = 0, unknown = 0, retried = 0;
    std::string last;  ///< what came back last
    Ms last_at = 0;
    bool failing = false;
  };

  /// The store and the clock outlive it.
  Delivery(const Settings& settings, Sender sender, Store& store, rt::Clock& clock);
  ~Delivery();

  void start();
  /// What is being sent is broken off after a moment.
  void stop();
  /// There is something new in the store.
  void wake();
  /// At once, beside the store.
  Result<Attempt> send_now(const std::string& channel, const Message& message);
  std::vector<ChannelState> channels() const;

 private:
  struct Line;
  void run(Line& line, const std::stop_token& stop);
  /// When to look again.
  Ms send_next(Line& line, const std::stop_token& stop);
  void keep(Line& line, const Outgoing& one);

  Sender sender_;
  Store& store_;
  rt::Clock& clock_;
  std::vector<std::unique_ptr<Line>> lines_;
};

/// Where a channel leads, fit for a page: no secret.
std::string where(const ChannelSpec& spec);

}  // namespace tailrace::alerts
