// Brings the rows that a SELECT's restrictions allow to its results: from the store, from a virtual
// table, or from a table of others.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "cql_query/clustering.h"
#include "cql_query/paging.h"
#include "cql_query/select_results.h"
#include "cql_query/select_rows.h"

namespace tailrace::cql_query {

class RowReader {
 public:
  RowReader(const SelectPlan& plan, const Bindings& bindings, std::int64_t now_seconds,
            const std::optional<PagingState>& from, Results& results)
      : plan_(plan),
        table_(*plan.table),
        bindings_(bindings),
        now_seconds_(now_seconds),
        from_(from),
        results_(results) {}

  Outcome<void> prepare();

  /// `indexes` may be null.
  Outcome<void> read(const cql_store::Store& store, Indexes* indexes);
  Outcome<void> read(const std::vector<cql_schema::Values>& rows);
  Outcome<void> read(const ForeignTable& foreign);

 private:
  /// Whether a row of a range of keys is among those that are read.
  bool wanted(std::string_view clustering) const;
  /// Slices of a partition, without what a page before has given.
  Slices slices_left(std::string_view partition) const;
  bool given(std::string_view partition, std::string_view clustering) const;

  Outcome<After> read_key(const cql_store::Snapshot& snapshot, const Key& key);
  /// One row that needs no moment of the store to be read at.
  bool is_one_row() const {
    return by_names_ && keys_.size() == 1 && clusterings_.size() == 1 && !table_.has_static();
  }
  /// From a Snapshot, or from the Store as it is.
  template <typename Rows>
  Outcome<After> read_names(const Rows& rows, const Key& key);
  Outcome<After> read_key(const ForeignTable& foreign, const Key& key);
  Outcome<void> read_range(const cql_store::Snapshot& snapshot);

  friend class IndexReader;

  const SelectPlan& plan_;
  const cql_schema::Table& table_;
  const Bindings& bindings_;
  std::int64_t now_seconds_;
  const std::optional<PagingState>& from_;
  Results& results_;
  bool by_names_ = false;
  std::vector<Clustering> clusterings_;
  Slices slices_;
  std::vector<Key> keys_;
  TokenRange tokens_;
  cql_store::Row row_;
  cql_store::Snapshot::Buffer buffer_;
};

bool in_slices(const Slices& slices, std::string_view clustering);

}  // namespace tailrace::cql_query
