// The time of day in microseconds, for stamps that are compared with those that clients make.
#pragma once

#include <cstdint>

namespace tailrace::rt {

/// Since 1970-01-01 UTC; the machine's clock, which may be set back.
std::int64_t wall_microseconds();

}  // namespace tailrace::rt
