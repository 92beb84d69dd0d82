// An ordered key-value store (RocksDB) behind a few functions: where operator state, serving tables and checkpoints live.
//
// Writes go to memory and become durable together at `checkpoint()`: there is no write-ahead log, since the topics replay
// what came after. A crash brings the store back to its last checkpoint as a whole, never to a point in between
// (RocksDB never flushes by itself here; `needs_checkpoint()` tells when memory is nearly full).
//
// Reads see every write at once. Any thread may read; one thread writes. One process owns a folder (kFailedPrecondition
// names the holder otherwise).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::kv {

/// Changes applied together.
class WriteBatch {
 public:
  WriteBatch();
  ~WriteBatch();
  WriteBatch(WriteBatch&&) noexcept;
  WriteBatch& operator=(WriteBatch&&) noexcept;
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  void erase_range(std::string_view begin, std::string_view end);
  std::size_t size_bytes() const;
  void clear();

 private:
  friend class Store;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct Options {
  std::size_t write_buffer_bytes = 64 << 20;  ///< needs_checkpoint() above this
  std::size_t block_cache_bytes = 32 << 20;
};


class Store {
 public:
  static Result<std::unique_ptr<Store>> open(const std::string& folder, Options options = {});
  virtual ~Store() = default;

  virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
  /// Values in the order of `keys` (sorted keys are fastest).
  virtual Result<std::vector<std::optional<std::string>>> get_many(std::span<const std::string_view> keys) const = 0;
  /// Rows of [begin, end) in order, until `visit` returns false. Sees one moment of the store.
  virtual Status scan(std::string_view begin, std::string_view end,
                      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
  virtual Status write(WriteBatch& batch) = 0;
  virtual bool needs_checkpoint() const = 0;
  /// Makes everything written so far durable, atomically.
  virtual Status checkpoint() = 0;

 protected:
  static void* rocks_batch(WriteBatch& batch);
};

/// The first key after every key that starts with `prefix`; empty when there is none.
std::string prefix_end(std::string_view prefix);

}  // namespace tailrace::kv
