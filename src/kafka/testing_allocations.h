// For tests: how much memory a thread has asked `new` for.
#pragma once

#include <cstddef>

namespace tailrace::kafka {

/// What this thread asked `new` for since it began; deleting takes nothing away.
std::size_t testing_allocated_bytes();

}  // namespace tailrace::kafka
