// Strong ids: every number with a meaning is a type of its own, so no function takes two bare
// integers.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace tailrace {

/// A number of type `Rep` that only compares and counts with its own kind.
template <typename Tag, typename Rep = std::int64_t>
struct Strong {
  Rep value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(v) {}
  constexpr auto operator<=>(const Strong&) const = default;
  constexpr Strong operator+(Rep n) const { return Strong(value + n); }
  constexpr Strong operator-(Rep n) const { return Strong(value - n); }
  constexpr Rep operator-(Strong other) const { return value - other.value; }
  constexpr Strong& operator++() {
    ++value;
    return *this;
  }
};

using Offset = Strong<struct OffsetTag>;
using PartitionId = Strong<struct PartitionTag, std::int32_t>;
/// Milliseconds since 1970-01-01 UTC, as Kafka stamps records.
using TimestampMs = Strong<struct TimestampMsTag>;

}  // namespace tailrace

template <typename Tag, typename Rep>
struct std::hash<tailrace::Strong<Tag, Rep>> {
  std::size_t operator()(tailrace::Strong<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value);
  }
};
