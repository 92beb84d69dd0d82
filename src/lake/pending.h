// The change of the next commit while it is small: encoded rows with weights, summed up.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "columns/row_codec.h"
#include "lake/data_file.h"
#include "lake/delta_table.h"

namespace tailrace::lake {

struct DeltaTable::Pending {
 public:
  void add(std::string_view row, Weight weight) {
    const auto [at, is_new] = weights_.try_emplace(std::string(row), 0);
    if (is_new) bytes_ += row.size() + kEntryBytes;
    at->second += weight;
    if (at->second != 0) return;
    bytes_ -= row.size() + kEntryBytes;
    weights_.erase(at);
  }
  /// Takes one occurrence of `row` off the retractions; false when it is not retracted (any more).
  bool take(std::string_view row) {
    const auto at = weights_.find(std::string(row));
    if (at == weights_.end() || at->second >= 0) return false;
    if (++at->second == 0) weights_.erase(at);
    return true;
  }
  bool retracts(std::string_view row) const {
    const auto at = weights_.find(std::string(row));
    return at != weights_.end() && at->second < 0;
  }
  /// Writes the rows with positive weight; the retractions stay.
  Status write_inserts(const Schema& schema, DataFileWriter& into);
  bool empty() const { return weights_.empty(); }
  std::size_t size() const { return weights_.size(); }
  std::size_t bytes() const { return bytes_; }
  void clear() {
    weights_.clear();
    bytes_ = 0;
  }
  const std::unordered_map<std::string, Weight>& weights() const { return weights_; }

 private:
  static constexpr std::size_t kEntryBytes = 64;
  std::unordered_map<std::string, Weight> weights_;
  std::size_t bytes_ = 0;
};

}  // namespace tailrace::lake
