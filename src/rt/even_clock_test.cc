// Steps of the wall clock do not move it.
#include "rt/even_clock.h"

#include <gtest/gtest.h>

namespace tailrace::rt {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kHourMs = 3'600'000;

/// A machine whose clock somebody sets.
class SetClock final : public Clock {
 public:
  TimestampMs now() const override { return TimestampMs(1'000'000'000'000 + gone_ms + set_ms); }
  std::chrono::nanoseconds monotonic() const override { return std::chrono::milliseconds(gone_ms); }
  std::int64_t gone_ms = 77;
  std::int64_t set_ms = 0;
};

TEST(EvenClock, goes_on_by_the_time_that_goes_by_whatever_the_wall_clock_is_set_to) {
  SetClock machine;
  const EvenClock even(machine);
  const auto start = machine.now();
  EXPECT_EQ(even.now(), start);
  for (const auto set_ms : {kHourMs, -kHourMs, std::int64_t{0}, 365 * 24 * kHourMs}) {
    machine.set_ms = set_ms;
    machine.gone_ms += 1500;
    EXPECT_EQ(even.now() - start, machine.gone_ms - 77);
  }
  EXPECT_EQ(even.monotonic(), machine.monotonic());
}

TEST(EvenClock, that_of_the_process_is_the_system_clocks) {
  EXPECT_LT(std::abs(even_clock().now() - system_clock().now()), kHourMs);
}

}  // namespace
}  // namespace tailrace::rt
