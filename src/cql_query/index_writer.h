// The entries that a change of rows adds to the indexes of their table. Nothing is read, nothing
// is taken away: see index_entries.h.
//
// Order of calls: row(), then what is written to it …, write_to().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cql_query/restrictions.h"
#include "cql_schema/schema.h"
#include "cql_store/store.h"

namespace tailrace::cql_query {

class IndexWriter {
 public:
  /// Of all its indexes; or of one alone, which is being made.
  explicit IndexWriter(const cql_schema::Table& table, const cql_schema::Index* only = nullptr);

  void row(const Key& key, const cql_store::RowKey& row);
  /// The row is there for this long, whatever else it has.
  Outcome<void> live(const cql_store::Liveness& life);
  /// A cell with a value; the row is there by it.
  Outcome<void> put(const cql_schema::Column& column, std::string_view path, std::string_view value,
                    const cql_store::Liveness& life);
  /// All that was noted; the row in hand ends.
  void write_to(cql_store::Mutation& mutation);

 private:
  struct Entry {
    cql_store::TableNumber index;
    std::string value, place;
    cql_store::Liveness life;
  };
  struct Indexed {
    const cql_schema::Index* index;
    const cql_schema::Column* column;
  };

  void add(const Indexed& one, std::string value, const cql_store::Liveness& life);

  const cql_schema::Table& table_;
  std::vector<Indexed> of_key_, of_others_;
  std::vector<cql_schema::ColumnNumber> without_zero_;
  Key key_;
  std::string clustering_, raw_;
  bool is_static_ = false;
  cql_store::Liveness lived_;  // of the key's columns' entries so far
  std::vector<Entry> entries_;
};

}  // namespace tailrace::cql_query
