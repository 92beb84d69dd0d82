// Rows an operator must not forget but will hardly ever need: set aside by partition in blocks that
// are written once and read only as a whole. A row costs its bytes and no look-up.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/types.h"
#include "engine/byte_hash.h"
#include "engine/trace.h"

namespace tailrace::engine {

class ColdRows final : public Trace {
 public:
  /// Where a partition's rows lie. The operator keeps it with its own state of the partition; all
  /// zeros for a partition without rows.
  struct Blocks {
    std::uint64_t first = 0, next = 0;  ///< numbers of its blocks
    std::int64_t entries = 0;           ///< add() calls
    std::int64_t rows = 0;              ///< the sum of their weights
  };

  explicit ColdRows(TraceHome home) : home_(std::move(home)) {}

  /// `partition` is no prefix of another one. A negative weight takes away rows added earlier.
  void add(std::string_view partition, Blocks& blocks, std::string_view key, Weight weight);
  using Sums = absl::flat_hash_map<std::string, Weight, ByteHash, std::equal_to<>>;
  /// Sums of the weights by key, those of sum zero left out; the partition has no rows here then.
  Result<Sums> take_all(std::string_view partition, Blocks& blocks);

  void save(kv::BulkWriter& writer) override;
  void evict() override {}
  std::size_t size_bytes() const override { return bytes_; }

 private:
  struct Block {
    std::string name;  ///< partition and number
    std::string entries;
  };
  std::string name_of(std::string_view partition, std::uint64_t number) const;

  TraceHome home_;
  /// The last block of each partition, not yet saved.
  absl::flat_hash_map<std::string, Block, ByteHash, std::equal_to<>> open_;
  std::vector<Block> full_;
  std::vector<std::string> gone_;  ///< names of saved blocks that were taken
  std::size_t bytes_ = 0;
};

}  // namespace tailrace::engine
