// The tables of a PostgreSQL that a source is told to watch: which there are, their columns with
// their types, and the columns that name a row.
//
// A pattern is `schema.table` or `table` (of schema public), with * for any letters and ? for one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "postgres/connection.h"
#include "postgres/pgoutput.h"
#include "postgres/values.h"

namespace tailrace::connect {

struct PostgresColumn {
  std::string name;
  postgres::ValueType type;
  std::string member;  ///< "name": as JSON has it
  bool operator==(const PostgresColumn& other) const { return name == other.name; }
};

/// A table as rows of one time have it.
struct PostgresTable {
  std::string schema, name;
  std::vector<PostgresColumn> columns{};
  std::vector<std::size_t> key{};  ///< the columns that name a row, in order
  bool watched = true;

  std::string full_name() const { return schema + "." + name; }
};

struct PostgresTableName {
  std::string schema, name;
  bool partitioned = false;
  bool identity = false;  ///< an update or a delete says of which row
  std::string full() const { return schema + "." + name; }
};

bool matches(const std::vector<std::string>& patterns, const std::string& schema,
             const std::string& table);

/// What the catalog of one database says; the connection is the caller's.
class PostgresCatalog {
 public:
  explicit PostgresCatalog(postgres::Connection& connection) : connection_(connection) {}

  /// Ordinary and partitioned tables; partitions are their table's.
  Result<std::vector<PostgresTableName>> tables(const std::vector<std::string>& patterns,
                                                std::stop_token stop);
  /// The columns of its replica identity, or of its primary key where that is the whole row.
  Result<std::vector<std::string>> key_of(const std::string& schema, const std::string& table,
                                          std::stop_token stop);
  /// kText for a type that is gone.
  Result<postgres::ValueType> type_of(postgres::Oid oid, std::int32_t modifier,
                                      std::stop_token stop, int depth = 0);
  /// `key`: names; without it the columns of the identity.
  Result<PostgresTable> table_of(const postgres::Relation& relation,
                                 const std::vector<std::string>* key, std::stop_token stop);

 private:
  postgres::Connection& connection_;
  std::map<std::pair<postgres::Oid, std::int32_t>, postgres::ValueType> types_;
};

}  // namespace tailrace::connect
