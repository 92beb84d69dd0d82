// The store of cells: partitions in token order, rows in clustering order, each cell with its
// timestamp; the last write wins. Writes are blind: they are merged with what is there when it is
// read, or when the store tidies itself. See cells.h for the words.
//
// Durability: a mutation is on disk before `done` is called (group commit: what arrives while one
// sync runs becomes durable with the next). kill -9 at any moment loses nothing that was told, and
// a mutation is there whole or not at all, whatever partitions it touches.
//
// Threads: any may read and commit. Reads see what was applied, which may be before it is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cql_store/cells.h"
#include "rt/clock.h"

namespace tailrace::cql_store {

/// The table's number in keys; the caller gives them out (cql_schema).
using TableNumber = std::uint32_t;

struct PartitionKey {
  std::int64_t token = 0;
  std::string_view bytes;
};

struct RowKey {
  /// Sort keys of all clustering columns; empty where there are none.
  std::string_view clustering;
  /// The values as they were written, if the sort keys do not keep their bytes; kept with the row.
  std::string_view raw = {};
  bool is_static = false;
};

/// Rows from `begin` to before `end` by memcmp of their clustering; an empty end: to the last.
struct Slice {
  std::string begin, end;
};

/// Changes that become visible and durable together. Built in order; one partition's and one row's
/// calls need not stand together, but are cheapest so.
class Mutation {
 public:
  /// What follows is of this row.
  void row(TableNumber table, const PartitionKey& partition, const RowKey& row);
  /// What follows is all there is of this row, whatever was there before, timestamps aside; when
  /// nothing follows, the row is gone without a trace. For rows that the server derives from
  /// others.
  void replace_row(TableNumber table, const PartitionKey& partition, const RowKey& row);
  void liveness(const Liveness& liveness);
  void delete_row(const Deletion& deletion);
  /// A cell's value; `ttl` 0: for ever, else it expires at `expires`.
  void put(std::uint32_t column, std::string_view path, std::int64_t timestamp,
           std::string_view value, std::int32_t ttl = 0, std::int64_t expires = 0);
  void erase(std::uint32_t column, std::string_view path, const Deletion& deletion);
  /// All cells of a collection or user type, written at or before the deletion's timestamp.
  void erase_all(std::uint32_t column, const Deletion& deletion);
  /// Adds to a counter.
  void add(std::uint32_t column, std::int64_t amount);

  void delete_slice(TableNumber table, const PartitionKey& partition, const Slice& slice,
                    const Deletion& deletion);
  /// Static row included.
  void delete_partition(TableNumber table, const PartitionKey& partition, const Deletion& deletion);
  /// Everything a table holds, at once and for good, timestamps aside (TRUNCATE, DROP).
  void drop_all(TableNumber table);
  /// A small named value beside the tables (the schema's records); nullopt removes it.
  void keep(std::string_view name, std::optional<std::string_view> value);

  bool empty() const;
  std::size_t size_bytes() const;
  void clear();
  void append(Mutation&& other);

 private:
  friend class MutationReader;
  /// A cell or a deletion of the row in hand; its path and value are in texts_.
  struct Part {
    std::uint32_t column;
    std::uint8_t kind;  // Entry::Kind
    std::int32_t ttl;
    std::int64_t timestamp, when;
    std::size_t path_at, path_size, value_size;  // the value follows the path
  };
  void end_row();
  void add_part(Part part, std::string_view path, std::string_view value);
  void change(char op, std::string_view key, std::string_view value);

  std::string bytes_;  // changes: op:u8 key_size:u32 value_size:u32 key value (mutation.h)
  // The row in hand.
  std::string key_;        // empty: none
  bool replaces_ = false;  // replace_row() began it
  std::string texts_;
  std::vector<Part> parts_;
  std::size_t raw_size_ = 0;  // of the clustering as written, at the front of texts_
  Liveness liveness_;
  Deletion deletion_;
};

/// What a scan goes over. Tokens are inclusive at both ends.
struct Range {
  TableNumber table = 0;
  std::int64_t first_token = std::numeric_limits<std::int64_t>::min();
  std::int64_t last_token = std::numeric_limits<std::int64_t>::max();
  /// Goes on after this row of this partition: the partition's bytes with first_token its token,
  /// and the clustering of the last row seen (nullopt: after the static row).
  struct After {
    std::string partition;
    std::optional<std::string> clustering;
    bool whole_partition = false;  // nothing more of the partition
  };
  std::optional<After> after = {};
};

/// Rows as they will be.
class Preview {
 public:
  virtual ~Preview() = default;
  /// As Snapshot::read; `buffer` as well.
  struct Buffer {
    std::string bytes, more;
  };
  virtual Result<bool> read(TableNumber table, const PartitionKey& partition, const RowKey& key,
                            std::int64_t now_seconds, Row& row, Buffer& buffer) const = 0;
};

/// One moment of the store.
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  /// One row; false: it is not there. `row`'s views hold until the next call with this `row`'s
  /// buffer or its end.
  using Buffer = Preview::Buffer;
  virtual Result<bool> read(TableNumber table, const PartitionKey& partition, const RowKey& key,
                            std::int64_t now_seconds, Row& row, Buffer& buffer) const = 0;

  /// Rows of one partition within the slices (in clustering order, apart from each other; none:
  /// all), backwards if asked, until `visit` says false. The static row comes first, if it is there
  /// and `with_static`. Views hold during the call.
  struct PartitionRead {
    std::span<const Slice> slices = {};
    bool backwards = false;
    bool with_static = false;
  };
  virtual Status scan_partition(TableNumber table, const PartitionKey& partition,
                                const PartitionRead& what, std::int64_t now_seconds,
                                const std::function<bool(const Row&)>& visit) const = 0;
  /// Rows of many partitions in token order; of each its static row first. `visit` says what next.
  enum class Next { kRow, kPartition, kStop };
  virtual Status scan(const Range& range, std::int64_t now_seconds,
                      const std::function<Next(const Row&)>& visit) const = 0;

  /// This moment once `mutation` is applied; of no counters. Ends the row in hand. The snapshot and
  /// the mutation must stay as they are while it is in use.
  virtual std::unique_ptr<Preview> with(Mutation& mutation) const = 0;
};

struct Options {
  std::size_t write_buffer_bytes = 64 << 20;
  std::size_t block_cache_bytes = 32 << 20;
  /// Whether `done` waits for the disk. Without it a crash loses the last moments' writes.
  bool sync = true;
  rt::Clock* clock = nullptr;  ///< for what compactions may forget; null: the machine's
};

class Store {
 public:
  /// Opens or creates. kFailedPrecondition: another process holds the folder; kDataLoss: damaged.
  static Result<std::unique_ptr<Store>> open(const std::string& folder, Options options = {});
  /// Waits for what was committed.
  virtual ~Store() = default;

  virtual std::unique_ptr<Snapshot> snapshot() const = 0;
  /// `Snapshot::read` of this moment, without the cost of a snapshot.
  virtual Result<bool> read(TableNumber table, const PartitionKey& partition, const RowKey& key,
                            std::int64_t now_seconds, Row& row, Snapshot::Buffer& buffer) const = 0;

  using Done = std::move_only_function<void(Status)>;
  /// `done` is called from another thread, or from this one when the store has failed before.
  virtual void commit(Mutation mutation, Done done) = 0;
  /// Reads, decides and writes with no other commit in between (lightweight transactions):
  /// `decide` sees all commits before it; an empty Mutation writes nothing. `done` comes when what
  /// was decided, and all that was read for it, is durable.
  using Decide = std::move_only_function<Result<Mutation>(const Snapshot&)>;
  virtual void decide(Decide decide, Done done) = 0;

  /// Values kept by name, in the order of names.
  virtual Result<std::vector<std::pair<std::string, std::string>>> kept(
      std::string_view prefix) const = 0;
  /// How long tombstones of a table stay: its gc_grace_seconds.
  virtual void set_grace(TableNumber table, std::int64_t seconds) = 0;
  /// About how many partitions and bytes a token range holds (system.size_estimates).
  struct Estimate {
    std::int64_t partitions = 0, mean_bytes = 0;
  };
  virtual Result<Estimate> estimate(TableNumber table, std::int64_t first_token,
                                    std::int64_t last_token) const = 0;

  /// For tests and upkeep: memory to files, and all files to one run, without what may be
  /// forgotten.
  virtual Status flush() = 0;
  virtual Status compact() = 0;
};

}  // namespace tailrace::cql_store
