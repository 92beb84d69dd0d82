// Which rows of a batch have equal keys: the first thing every keyed operator does, so that state
// is touched once a key and step.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "columns/row_codec.h"

namespace tailrace::engine {

/// Numbers the distinct keys of a step in order of first appearance. Its memory is kept for the
/// next step.
class Grouping {
 public:
  /// The keys must outlive the use of keys().
  void assign(const EncodedRows& rows);

  std::size_t size() const { return keys_.size(); }
  const std::vector<std::uint32_t>& group_of() const { return group_of_; }
  const std::vector<std::int64_t>& first_rows() const { return first_rows_; }
  const std::vector<std::string_view>& keys() const { return keys_; }
  /// By PointTrace::hash_of.
  const std::vector<std::uint64_t>& hashes() const { return hashes_; }

 private:
  std::vector<std::uint32_t> group_of_;
  std::vector<std::int64_t> first_rows_;
  std::vector<std::string_view> keys_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> table_;  ///< group + 1, 0 when empty; open addressing
};

}  // namespace tailrace::engine
