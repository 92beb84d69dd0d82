// What is deleted of a partition as a whole: the partition itself and slices of its rows. Kept in
// one record a partition, which writes are folded into.
//
//   record := timestamp:i64 (little-endian) local_time:zigzag     the partition's; kNoTimestamp:
//   none
//             { begin end (each length:vint bytes) timestamp:i64 local_time:zigzag }
//
// In a folded record slices are in order and apart from each other, and each deletes by the newest
// deletion that was ever written for it. An empty end: to the last row.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cql_store/cells.h"
#include "cql_store/store.h"

namespace tailrace::cql_store {

class Deletions {
 public:
  struct Piece {
    std::string_view begin, end;
    Deletion deletion;
  };

  /// Views are into `record`. False: damaged.
  bool read(std::string_view record);
  void clear();

  const Deletion& partition() const { return partition_; }
  const std::vector<Piece>& pieces() const { return pieces_; }
  bool empty() const { return partition_.live() && pieces_.empty(); }
  /// Whether one of them was made before then.
  bool any_before(std::int64_t seconds) const;
  /// The others are gone.
  void keep_before(std::int64_t seconds);
  /// What deletes a row, or the static row by partition() alone.
  Deletion of(std::string_view clustering) const;

 private:
  Deletion partition_;
  std::vector<Piece> pieces_;
};

void append_partition_deletion(std::string& out, const Deletion& deletion);
void append_slice_deletion(std::string& out, const Slice& slice, const Deletion& deletion);

/// One record of many, in any order; `out` is replaced. False: one is damaged.
bool fold_deletions(std::span<const std::string_view> records, std::string& out);
/// Writes the pieces of `deletions` that are not older than `before_seconds`; false: there are
/// none.
bool keep_recent(const Deletions& deletions, std::int64_t before_seconds, std::string& out);

}  // namespace tailrace::cql_store
