// Writes what a statement changes, at its times: the one place through which every change of a row
// goes to a mutation. The indexes of the table are told of it here; its views read the mutation
// when it is whole (view.h).
//
// Order of calls: row(), then what belongs to it; deletions of slices and partitions stand alone;
// finish().
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cql_query/batch_size.h"
#include "cql_query/index_entries.h"
#include "cql_query/index_writer.h"
#include "cql_query/modification.h"

namespace tailrace::cql_query {

/// When a statement writes.
struct WriteTimes {
  std::int64_t timestamp = 0;  // of cells and of liveness
  std::int64_t deletion = 0;   // of rows, partitions, slices and whole columns
  std::int64_t now_seconds = 0;
  std::int32_t ttl = 0;  // seconds; 0: for ever
  std::int64_t expires = 0;
};

/// A live cell as a statement that reads sees it.
struct SeenCell {
  std::string path, value;
  std::int64_t timestamp = 0;
};

class RowWriter {
 public:
  /// `snapshot` is nullptr unless the statement reads; `size` may be nullptr.
  RowWriter(cql_store::Mutation& to, const WriteTimes& times, const cql_store::Snapshot* snapshot,
            BatchSize* size)
      : to_(to), times_(times), snapshot_(snapshot), size_(size) {}

  void row(const cql_schema::Table& table, const Key& key, const cql_store::RowKey& row);
  void liveness();
  void delete_row();
  void put(const cql_schema::Column& column, std::string_view path, std::string_view value);
  void erase(const cql_schema::Column& column, std::string_view path);
  /// The whole column.
  void erase(const cql_schema::Column& column);
  /// All cells of a collection or user type that were there before this statement.
  void clear_before(const cql_schema::Column& column);
  void add(const cql_schema::Column& counter, std::int64_t amount);

  void delete_slice(const cql_schema::Table& table, const Key& key, const cql_store::Slice& slice);
  void delete_partition(const cql_schema::Table& table, const Key& key);

  /// What was written is whole. kInvalid: a value that an index of the table cannot have.
  Outcome<void> finish();

  /// The row's live cells of a column with what this statement has changed, in order. Of
  /// statements that read; for the views' sake until the next call.
  Outcome<std::span<const SeenCell>> seen(const cql_schema::Column& column);

 private:
  struct Change {
    std::uint32_t column;
    std::int64_t timestamp;
    bool whole_column, live;
    std::string path, value;
  };
  cql_store::Deletion deletion(std::int64_t timestamp) const {
    return {timestamp, times_.now_seconds};
  }
  void erase_all(const cql_schema::Column& column, std::int64_t timestamp);
  /// A column of this name was dropped later than this statement writes: its cells are not there.
  bool is_dropped(const cql_schema::Column& column) const;
  void note(const cql_schema::Column& column, std::int64_t timestamp, bool whole_column, bool live,
            std::string_view path, std::string_view value);
  void apply(const Change& change);
  void check(Outcome<void> indexed) {
    if (!indexed && !refused_) refused_ = std::move(indexed.error());
  }

  cql_store::Mutation& to_;
  const WriteTimes times_;
  const cql_store::Snapshot* snapshot_;
  BatchSize* size_;
  std::optional<IndexWriter> indexes_;  // of a table that has some
  std::span<const cql_schema::DroppedColumn> dropped_;
  std::optional<cql_types::Failure> refused_;

  // Of the row in hand, for statements that read.
  cql_store::TableNumber table_ = 0;
  Key key_;
  std::string clustering_, raw_;
  bool is_static_ = false;
  std::vector<Change> changes_;
  std::vector<SeenCell> seen_;
};

}  // namespace tailrace::cql_query
