// What a table of the pipeline is to CQL's clients: its names, its key and its columns' types.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cql_schema/schema.h"
#include "served/shape.h"
#include "table/keyed_table.h"

namespace tailrace::served {

/// How a table is called, and how much of its key is the partition key; the rest clusters.
struct Naming {
  std::string keyspace, table;  // as CQL keeps them
  int partition_columns = 1;
  std::string comment = {};
};

/// How a table of `serving` is called: NAME in `keyspace`, KEYSPACE.TABLE elsewhere.
Naming naming_of(std::string_view name, std::string_view keyspace, int partition_columns);

struct Definition {
  cql_schema::Table table;  // foreign; its columns' numbers are their places
  std::vector<cql_types::TypePtr> types;
  /// Of each column of `table`: its place in the rows of the keyed table, and its shape.
  std::vector<int> places;
  std::vector<Shape> shapes;
};

/// `taken`: names of user types of other tables; those of this one are put there. kInvalidArgument
/// says what CQL cannot have and what to do.
Result<Definition> define(const Naming& naming, const table::TableSchema& schema,
                          std::set<std::string>& taken);

}  // namespace tailrace::served
