// Grouping by an open-addressing table of group numbers.
#include "engine/grouping.h"

#include <bit>

#include "engine/trace.h"

namespace tailrace::engine {

void Grouping::assign(const EncodedRows& rows) {
  const auto count = static_cast<std::size_t>(rows.size());
  const std::size_t capacity = std::bit_ceil(count * 2 + 2);
  table_.assign(capacity, 0);
  group_of_.resize(count);
  first_rows_.clear();
  keys_.clear();
  hashes_.clear();
  for (std::size_t row = 0; row < count; ++row) {
    const std::string_view key = rows[static_cast<std::int64_t>(row)];
    const std::uint64_t hash = PointTrace::hash_of(key);
    std::size_t at = (hash >> 7) & (capacity - 1);
    while (table_[at] != 0) {
      const std::uint32_t group = table_[at] - 1;
      if (hashes_[group] == hash && keys_[group] == key) break;
      at = (at + 1) & (capacity - 1);
    }
    if (table_[at] == 0) {
      keys_.push_back(key);
      hashes_.push_back(hash);
      first_rows_.push_back(static_cast<std::int64_t>(row));
      table_[at] = static_cast<std::uint32_t>(keys_.size());
    }
    group_of_[row] = table_[at] - 1;
  }
}

}  // namespace tailrace::engine
