// Tables of rows with a primary key, kept in the store for serving: a point read, a range, a change
// from a delta.
//
// Bytes in the store:
//   row        'T' id(u32, big-endian) key(columns/row_codec.h, ordered) → version(u32,
//   little-endian; the top bit: there is a note) row(encode_rows) [note size(u32)] catalogue  'C'
//   name → id(u32) keys(u32) {key column} schemas(u32) {schema as Arrow IPC}, each {} after its u32
//   length
// `version` counts the schemas a table has had; a column is only ever added at the end, so an old
// row lacks the last ones and they read as null.
//
// Threads: any may read; the one that writes the store applies.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong.h"
#include "columns/row_codec.h"
#include "columns/types.h"
#include "kv/store.h"

namespace tailrace::table {

using TableId = Strong<struct TableIdTag, std::uint32_t>;

/// What a table is: its columns and which of them are the primary key, in key order.
struct TableSchema {
  std::string name;
  Schema columns;
  std::vector<std::string> key;
};

/// One page of a scan. `next` empty: there is no more.
struct Page {
  Batch rows;
  std::string next;  ///< give it to the next scan; opaque, printable
};

/// A range of keys: each end is a prefix of the key columns' values, as text (Spark's CAST from
/// STRING). `from` and `to` are both inclusive: a to of ("DE") ends after the last key that starts
/// with DE. Empty: from the first, to the last.
struct KeyRange {
  std::vector<std::string> from;
  std::vector<std::string> to;
};

class KeyedTable {
 public:
  KeyedTable(kv::Store& store, TableId id, TableSchema schema, std::vector<Schema> history);

  const TableSchema& schema() const { return schema_; }
  TableId id() const { return id_; }
  /// Every schema it has had; the last is the present one.
  const std::vector<Schema>& history() const { return history_; }

  /// Adds the delta's changes to the batch: for each key the row with positive weight is put, and a
  /// key with only negative ones is erased. Columns are matched by name; those the delta lacks are
  /// null.
  Status apply(const Delta& delta, kv::WriteBatch& batch) const { return apply(delta, {}, batch); }
  /// With bytes to be kept with the rows of some keys (of encode_keys over the key columns): a row
  /// that is put, or is there and not in the delta. A row that is put without loses its note.
  using Notes = absl::flat_hash_map<std::string_view, std::string_view>;
  Status apply(const Delta& delta, Notes notes, kv::WriteBatch& batch) const;
  /// Adds the removal of every row.
  void erase_all(kv::WriteBatch& batch) const;

  /// The row (a batch of one) of a whole key given as text, one value a key column; nullopt when
  /// there is none.
  Result<std::optional<Batch>> get(std::span<const std::string> key) const;
  /// The row whose key columns equal those of row `row` of `keys` (a batch of the key columns in
  /// key order).
  Result<std::optional<Batch>> get(const arrow::RecordBatch& keys, std::int64_t row = 0) const;

  /// The rows that are there of some keys (bytes of encode_keys over the key columns).
  Result<Batch> get_encoded(std::span<const std::string> keys) const;
  /// The notes kept with the rows of some sorted keys; nullopt where there is no row.
  Result<std::vector<std::optional<std::string>>> notes(
      std::span<const std::string_view> keys) const;

  /// At most `limit` rows in key order; `token` is Page::next of the page before. kInvalidArgument:
  /// a value or token that cannot be read.
  Result<Page> scan(const KeyRange& range, std::int64_t limit, std::string_view token = {}) const;
  /// Every row in key order, in batches of at most `batch_rows`, until `visit` returns false. Sees
  /// one moment.
  Status scan_all(const std::function<Result<bool>(Batch)>& visit,
                  std::int64_t batch_rows = 4096) const;
  /// The rows whose key bytes (encode_keys over the key columns) are in [from, to), in key order or
  /// from the last to the first; an empty `to` is the table's end. In batches that begin small and
  /// grow, until `visit` returns false. Sees one moment.
  Status scan_encoded(std::string_view from, std::string_view to, bool backwards,
                      const std::function<Result<bool>(Batch)>& visit) const;
  /// Whether the catalogue has dropped this table, or has another in its place with more columns:
  /// rows may be gone, or cannot be read by this one.
  bool replaced() const { return replaced_; }
  /// How many rows there are; nullopt when more than `most`. Reads them all.
  Result<std::optional<std::int64_t>> count(std::int64_t most) const;

 private:
  friend class Catalogue;
  class RowReader;
  /// New notes of rows that are there.
  Status change_notes(const Notes& notes, kv::WriteBatch& batch) const;
  Result<std::string> key_of_text(std::span<const std::string> values) const;
  std::string prefix() const;
  Schema key_schema(std::size_t columns) const;

  kv::Store& store_;
  TableId id_;
  TableSchema schema_;
  std::vector<Schema> history_;  ///< every schema so far, the last is schema_.columns
  std::vector<KeyColumn> key_columns_;
  mutable std::atomic<bool> replaced_ = false;
};

/// The tables of a store, by name.
class Catalogue {
 public:
  static Result<std::unique_ptr<Catalogue>> open(kv::Store& store);

  /// The table of this name and key, created or, when `schema` has more columns, widened. A table
  /// whose key or column types differ is kFailedPrecondition, which says how. The change is written
  /// to the store; a checkpoint makes it durable.
  Result<std::shared_ptr<const KeyedTable>> create(const TableSchema& schema);
  /// Null when there is none.
  std::shared_ptr<const KeyedTable> find(std::string_view name) const;
  std::vector<std::string> names() const;
  Status drop(std::string_view name);

 private:
  explicit Catalogue(kv::Store& store) : store_(store) {}
  Status load();
  Result<std::shared_ptr<const KeyedTable>> put(TableId id, const TableSchema& schema,
                                                std::vector<Schema> history);

  kv::Store& store_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const KeyedTable>, std::less<>> tables_;
  std::uint32_t next_id_ = 1;
};

}  // namespace tailrace::table
