// An ordered key-value store (RocksDB) behind a few functions: where operator state, serving tables
// and checkpoints live.
//
// Writes go to memory and become durable together at `checkpoint()`: there is no write-ahead log,
// since the topics replay what came after. A crash brings the store back to its last checkpoint as
// a whole, never to a point in between (RocksDB never flushes by itself here; `needs_checkpoint()`
// tells when memory is nearly full).
//
// `begin_checkpoint()` only marks the point and returns; writes may go on while it becomes durable
// in the background, and `finish_checkpoint()` waits for that. A crash before it was durable brings
// back the checkpoint before.
//
// Reads see every write at once. Any thread may read; one thread writes. One process owns a folder
// (kFailedPrecondition names the holder otherwise). Keys from 0xFF 0xFF on are the store's own.
//
// Disk full: the checkpoint in hand waits and goes on by itself when there is room; meanwhile
// finish_checkpoint() (and write(), when memory is used up) answer kResourceExhausted and may be
// called again.
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
  /// Only for a DurableStore (durable_store.h), by its merge rules.
  void merge(std::string_view key, std::string_view operand);
  void erase(std::string_view key);
  void erase_range(std::string_view begin, std::string_view end);
  std::size_t size_bytes() const;
  bool empty() const;
  void clear();

  /// Hears the changes in their order.
  class Visitor {
   public:
    virtual ~Visitor() = default;
    virtual void put(std::string_view key, std::string_view value) = 0;
    virtual void erase(std::string_view key) = 0;
    virtual void erase_range(std::string_view begin, std::string_view end) = 0;
  };
  void visit(Visitor& visitor) const;

 private:
  friend class RocksStore;
  friend class RocksDurableStore;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct Options {
  std::size_t write_buffer_bytes =
      64 << 20;  ///< needs_checkpoint() above this; write() refuses above four times this
  std::size_t block_cache_bytes = 32 << 20;
};

class Store {
 public:
  /// Opens or creates. kFailedPrecondition: another process holds the folder; kDataLoss: damaged,
  /// or not at a checkpoint.
  static Result<std::unique_ptr<Store>> open(const std::string& folder, Options options = {});
  /// Closes without writing: what came after the last checkpoint is gone.
  virtual ~Store() = default;

  virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
  /// Values in the order of `keys` (sorted keys are fastest).
  virtual Result<std::vector<std::optional<std::string>>> get_many(
      std::span<const std::string_view> keys) const = 0;
  /// Rows of [begin, end) in order, until `visit` returns false; an empty end is the end of the
  /// store. Sees one moment.
  virtual Status scan(
      std::string_view begin, std::string_view end,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
  /// The same from the last to the first.
  virtual Status scan_back(
      std::string_view begin, std::string_view end,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;

  /// Applies the batch at once; the batch may be cleared and used again.
  virtual Status write(WriteBatch& batch) = 0;
  virtual bool needs_checkpoint() const = 0;

  /// Makes everything written so far durable, atomically: begin_checkpoint() and
  /// finish_checkpoint().
  Status checkpoint();
  /// Marks the point; waits first for a checkpoint that is still on its way.
  virtual Status begin_checkpoint() = 0;
  /// As begin_checkpoint(), but nothing of it becomes durable before release_checkpoint(): for what
  /// must be durable elsewhere first. A store closed before that is back at the checkpoint before.
  virtual Status begin_held_checkpoint() = 0;
  /// Any thread.
  virtual void release_checkpoint() = 0;
  /// Waits until the checkpoint begun last is durable (a held one must have been released). No
  /// checkpoint on its way: returns at once.
  virtual Status finish_checkpoint() = 0;
  /// Whether finish_checkpoint() would return without waiting.
  virtual bool checkpoint_done() const = 0;
  /// What the checkpoint that became durable last wrote to the disk.
  virtual std::uint64_t checkpoint_bytes() const = 0;
};

/// Many changes that nobody needs at once: they reach the store in batches small enough to stay in
/// the processor's cache. For operator state, which counts from the next checkpoint on.
class BulkWriter {
 public:
  explicit BulkWriter(Store& store) : store_(store) {}
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  /// Writes the rest; the first Error of all writes, after which nothing more was written.
  Status finish();

 private:
  static constexpr std::size_t kBatchBytes = 256 << 10;
  void write();

  Store& store_;
  WriteBatch batch_;
  Status failed_;
};

/// The first key after every key that starts with `prefix`; empty when there is none.
std::string prefix_end(std::string_view prefix);

}  // namespace tailrace::kv
