// An ordered store (RocksDB) in which every write is durable when sync() says so, and a key can be
// written without being read: what is written folds into what is there by the owner's rules.
//
// Order of calls: open → write … sync → write … sync. write() changes memory, which readers see at
// once, and the log (commit_log.h); sync() makes all of it durable with one write to the disk. A
// crash brings back every write that was synced, whole, and of the others the first few or none.
//
// Threads: one writes and syncs; any reads. Keys from FF FF on are the store's own.
//
// Disk full: write() or sync() answer kResourceExhausted and change nothing, or say that what was
// written is not durable yet; reads go on; a later call that succeeds has all before it durable. A
// flush that finds no room waits and goes on by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/store.h"
#include "rt/clock.h"

namespace tailrace::kv {

/// How the records of a key become one.
class MergeRules {
 public:
  virtual ~MergeRules() = default;
  /// Two or more records, the oldest first; `out` is replaced. It must not matter in which groups
  /// they are folded. False: one is damaged. Any thread.
  virtual bool fold(std::string_view key, std::span<const std::string_view> records,
                    std::string& out) const = 0;
};

/// Looks at the records of one compaction, in the order of keys.
class CompactionPass {
 public:
  virtual ~CompactionPass() = default;
  enum class Verdict { kKeep, kChange, kRemove };
  /// A key's record as a whole; kChange: `out` takes its place.
  virtual Verdict whole(std::string_view key, std::string_view record, std::string& out) = 0;
  /// A record that older ones may follow.
  virtual void part(std::string_view key, std::string_view record) = 0;
};

class CompactionRules {
 public:
  virtual ~CompactionRules() = default;
  struct About {
    /// All there is of a key is in this compaction, but for what was written after `settled`.
    bool everything = false;
    /// Seconds since 1970: no reader looks at a moment before it.
    std::int64_t settled = 0;
  };
  /// Null: nothing is looked at.
  virtual std::unique_ptr<CompactionPass> begin(const About& about) = 0;
};

struct DurableOptions {
  std::size_t write_buffer_bytes = 64 << 20;  ///< twice this in memory at most, but for stalls
  std::size_t block_cache_bytes = 32 << 20;
  bool sync = true;  ///< false: the operating system writes when it likes
  std::shared_ptr<const MergeRules> merge;
  std::shared_ptr<CompactionRules> compaction;
  /// How many bytes at a key's front its neighbours share, for filters; 0: none.
  std::size_t (*prefix)(std::string_view key) = nullptr;
  /// Writes of one key that are kept unfolded in memory.
  std::size_t most_unfolded = 16;
  rt::Clock* clock = nullptr;  ///< null: the machine's
};

class DurableStore {
 public:
  /// Opens or creates. kFailedPrecondition: another process holds the folder; kDataLoss: damaged.
  static Result<std::unique_ptr<DurableStore>> open(const std::string& folder,
                                                    DurableOptions options);
  /// Syncs what was written, and flushes it: the next start is quick.
  virtual ~DurableStore() = default;

  /// One moment of the store, as long as it lives.
  class Moment {
   public:
    virtual ~Moment() = default;
  };
  virtual std::unique_ptr<Moment> moment() const = 0;

  /// False: there is no such key. `at` null: as of now.
  virtual Result<bool> get(std::string_view key, std::string& value, const Moment* at) const = 0;

  /// Goes over [lower, upper), an empty upper: to the last key, at one moment.
  class Cursor {
   public:
    virtual ~Cursor() = default;
    virtual void seek(std::string_view key) = 0;         ///< to the first key not before it
    virtual void seek_before(std::string_view key) = 0;  ///< to the last key before it
    virtual void next() = 0;
    virtual void previous() = 0;
    /// False at the ends and after an error: see status().
    virtual bool valid() const = 0;
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
    virtual Status status() const = 0;
  };
  /// `one_prefix`: all keys of the range share their prefix (DurableOptions::prefix).
  virtual std::unique_ptr<Cursor> cursor(std::string_view lower, std::string_view upper,
                                         bool one_prefix, const Moment* at) const = 0;
  /// About how many bytes the keys of [begin, end) take.
  virtual std::uint64_t approximate_bytes(std::string_view begin, std::string_view end) const = 0;

  /// Applies the batch as a whole. Waits while memory is being made room in.
  virtual Status write(WriteBatch& batch) = 0;
  /// Everything written so far is durable.
  virtual Status sync() = 0;

  /// For tests and upkeep: memory to files, and all files to one run.
  virtual Status flush() = 0;
  virtual Status compact() = 0;
};

}  // namespace tailrace::kv
