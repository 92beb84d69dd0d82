// Sliding windows, for the binder.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailrace::engine {

/// The function whose value is the array of a sliding window's structs; no SQL can write its name.
inline constexpr std::string_view kWindows =
    "\x01"
    "windows";

inline constexpr std::int64_t kMostWindows = 10'000;

}  // namespace tailrace::engine
