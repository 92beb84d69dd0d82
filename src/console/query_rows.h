// How many rows an answer of SQL has.
#pragma once

namespace tailrace::console {

inline constexpr int kQueryRows = 10'000;  ///< of a page, and when nobody says how many
inline constexpr int kMaxQueryRows = 1'000'000;

}  // namespace tailrace::console
