// Sorting byte strings: the first eight bytes as a number decide nearly always, so the strings
// themselves are seldom touched.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace tailrace {

/// The first eight bytes as a number in the order of the bytes, zeros behind a shorter string.
inline std::uint64_t leading_bytes(std::string_view text) {
  std::uint64_t number = 0;
  std::memcpy(&number, text.data(), std::min(text.size(), sizeof number));
  if constexpr (std::endian::native == std::endian::little) number = __builtin_bswap64(number);
  return number;
}

/// `items` in the order of the bytes `bytes_of(item)` gives; equal ones as they were.
template <typename Item, typename BytesOf>
void sort_by_bytes(std::vector<Item>& items, BytesOf bytes_of) {
  struct Keyed {
    std::uint64_t leading;
    Item item;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(items.size());
  for (Item& item : items) keyed.push_back({leading_bytes(bytes_of(item)), std::move(item)});
  std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    if (a.leading != b.leading) return a.leading < b.leading;
    return bytes_of(a.item) < bytes_of(b.item);
  });
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = std::move(keyed[i].item);
}

}  // namespace tailrace
