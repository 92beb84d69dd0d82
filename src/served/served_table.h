// A keyed table of the pipeline as CQL's clients read it: no copy, each call sees one moment of it.
//
// CQL's timestamps are milliseconds. Of rows whose keys differ below that, in the last key column,
// the last is shown; in another key column they are an error that says what to do. A row with a
// null in its key, which CQL cannot have, is not shown.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cql_query/foreign_table.h"
#include "served/definition.h"

namespace tailrace::served {

class ServedTable final : public cql_query::ForeignTable {
 public:
  /// `definition` is of the table's schema.
  ServedTable(std::shared_ptr<const table::KeyedTable> table, Definition definition);

  const cql_schema::Table& definition() const override { return definition_.table; }
  const std::vector<cql_types::TypePtr>& types() const override { return definition_.types; }

  /// kUnavailable: the table is being made anew, or has new columns; ask again.
  Status rows(std::span<const std::string_view> key, std::span<const std::string_view> after,
              bool backwards, const Visit& visit) const override;
  Status scan(std::span<const std::string_view> after, const Visit& visit) const override;

 private:
  class Reader;
  /// Key bytes of the rows whose first key columns have some values.
  struct Range {
    std::string from, to;  // [from, to), `to` is never empty
  };

  std::size_t key_columns() const;
  /// nullopt: no row can have such values.
  std::optional<Range> range_of(std::span<const std::string_view> key) const;
  /// The same of a key that a row has had; else kInvalidArgument.
  Result<Range> range_of_after(std::span<const std::string_view> key) const;
  Status read(std::string_view from, std::string_view to, bool backwards, const Visit& visit) const;
  Status read_one(const std::string& key, const Visit& visit) const;
  Status replaced() const;

  std::shared_ptr<const table::KeyedTable> table_;
  Definition definition_;
  bool has_times_ = false;  // in the key
};

}  // namespace tailrace::served
