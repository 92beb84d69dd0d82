// Wall time that does not step: where the machine's clock was when it was made, and as much later
// as time has gone by since, whatever somebody sets that clock to meanwhile. For sessions, locks
// and timeouts: nobody is late because the machine's clock was put right.
//
// Against the machine's clock it is off by what that was set back or forward since the start.
#pragma once

#include "rt/clock.h"

namespace tailrace::rt {

class EvenClock final : public Clock {
 public:
  explicit EvenClock(const Clock& of) : of_(of), start_(of.now()), began_(of.monotonic()) {}

  TimestampMs now() const override {
    const auto gone = std::chrono::duration_cast<std::chrono::milliseconds>(monotonic() - began_);
    return start_ + gone.count();
  }
  std::chrono::nanoseconds monotonic() const override { return of_.monotonic(); }

 private:
  const Clock& of_;
  const TimestampMs start_;
  const std::chrono::nanoseconds began_;
};

/// The one of the process, by its system clock; from its first use on.
EvenClock& even_clock();

}  // namespace tailrace::rt
