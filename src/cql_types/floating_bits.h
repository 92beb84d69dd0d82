// Floating point as bits that compare as Java's Double.compare does: -0.0 before 0.0, NaN last.
#pragma once

#include <cstdint>
#include <type_traits>

namespace tailrace::cql_types {

/// Unsigned bits in the order of values; all NaNs become one.
template <typename Bits>
constexpr Bits ordered_bits(Bits bits) {
  static_assert(std::is_same_v<Bits, std::uint32_t> || std::is_same_v<Bits, std::uint64_t>);
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  constexpr bool kSingle = sizeof(Bits) == 4;
  constexpr Bits kInfinity = static_cast<Bits>(kSingle ? 0x7F800000 : 0x7FF0000000000000);
  constexpr Bits kNan = static_cast<Bits>(kSingle ? 0x7FC00000 : 0x7FF8000000000000);
  if ((bits & ~kSign) > kInfinity) bits = kNan;
  return bits & kSign ? ~bits : bits | kSign;
}

/// The bits that ordered_bits took.
template <typename Bits>
constexpr Bits unordered_bits(Bits bits) {
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  return bits & kSign ? bits & ~kSign : ~bits;
}

}  // namespace tailrace::cql_types
