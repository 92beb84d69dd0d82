// How much memory this process may have, for caches that take a part of it.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailrace::rt {

/// The machine's memory in bytes, or less where a control group limits it.
std::uint64_t machine_memory();

/// The smaller of the machine's memory and what a control group's memory.max says ("max" or a
/// number of bytes; what is neither limits nothing).
std::uint64_t limited_memory(std::uint64_t machine, std::string_view group_limit);

}  // namespace tailrace::rt
