// A table whose rows are kept elsewhere and shown as a CQL table: read by CQL, written by others.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "cql_schema/schema.h"
#include "cql_schema/system_tables.h"

namespace tailrace::cql_query {

/// Any thread may read; each call sees one moment.
class ForeignTable {
 public:
  virtual ~ForeignTable() = default;

  /// Its keyspace, name, id, columns and keys; Table::foreign is set.
  virtual const cql_schema::Table& definition() const = 0;

  /// The user types that its columns name, non-frozen; those that others name come first.
  virtual const std::vector<cql_types::TypePtr>& types() const = 0;

  /// Takes a row, one value a column of the definition, and says whether to go on.
  using Visit = std::function<bool(const cql_schema::Values& row)>;
  /// The rows whose first key columns have these values (protocol bytes): at least the partition
  /// key's, at most all, partition key first. In clustering order, or its reverse; from the first,
  /// or those that come after the one of the whole key `after`.
  virtual Status rows(std::span<const std::string_view> key,
                      std::span<const std::string_view> after, bool backwards,
                      const Visit& visit) const = 0;
  /// All rows after those whose first key columns have these values (none: from the first), those
  /// of a partition together, in an order of its own.
  virtual Status scan(std::span<const std::string_view> after, const Visit& visit) const = 0;
};

}  // namespace tailrace::cql_query
