#include "rt/even_clock.h"

namespace tailrace::rt {

EvenClock& even_clock() {
  static EvenClock clock(system_clock());
  return clock;
}

}  // namespace tailrace::rt
