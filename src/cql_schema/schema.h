// What keyspaces there are, and what is in them: the definitions that CQL's DDL makes.
//
// A Schema is immutable; a change gives a new one (change.h) that shares what did not change, so
// whoever holds one sees one moment. Names are as stored: without quotes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong.h"
#include "cql_types/type.h"

namespace tailrace::cql_schema {

using cql_types::TypePtr;

/// A table in the store of cells (cql_store); never used again for another one.
using TableNumber = Strong<struct TableNumberTag, std::uint32_t>;
/// A column of a table in the store; never used again within the table, so what a dropped column
/// held is not read through a new one of its name.
using ColumnNumber = Strong<struct ColumnNumberTag, std::uint32_t>;

enum class ColumnKind : std::uint8_t { kPartitionKey, kClustering, kStatic, kRegular };

/// MASKED WITH a function of the keyspace `system`, its arguments as CQL literals.
struct Mask {
  std::string function;
  std::vector<std::string> arguments;
};

struct Column {
  std::string name;
  TypePtr type;
  ColumnKind kind = ColumnKind::kRegular;
  int position = -1;        // among the partition key's or the clustering columns
  bool descending = false;  // of a clustering column
  ColumnNumber number;
  std::optional<Mask> mask = {};
};

/// Of a column that was dropped, for system_schema.dropped_columns.
struct DroppedColumn {
  Column column;
  std::int64_t dropped_us = 0;
};

struct Index {
  std::string name;
  /// As in system_schema.indexes: COMPOSITES, KEYS or CUSTOM.
  std::string kind;
  std::map<std::string, std::string> options;  // "target", "class_name" and its own
  /// What of which column: the target's text taken apart.
  enum class Target : std::uint8_t { kSimple, kValues, kKeys, kEntries, kFull };
  Target target = Target::kSimple;
  std::string column;
  /// The hidden table that may hold it in the store; counted as tables are.
  TableNumber number;
};

/// The options of a table or a view with Cassandra's defaults, as DESCRIBE and system_schema.tables
/// show them.
struct TableOptions {
  std::string comment;
  std::string additional_write_policy = "99p", speculative_retry = "99p", read_repair = "BLOCKING";
  std::optional<std::string> memtable = {};
  double bloom_filter_fp_chance = 0.01, crc_check_chance = 1.0;
  std::map<std::string, std::string> caching, compaction, compression;
  std::map<std::string, std::string> extensions;  // values are blobs
  std::optional<bool> cdc = {}, allow_auto_snapshot = {}, incremental_backups = {};
  std::int32_t default_time_to_live = 0, gc_grace_seconds = 864000;
  std::int32_t max_index_interval = 2048, min_index_interval = 128, memtable_flush_period_in_ms = 0;
};

struct View {
  std::string base_table;
  std::string where_clause;  // CQL text
  bool include_all_columns = false;
};

struct Table {
  std::string keyspace, name;
  std::string id;  // a UUID's 16 bytes
  TableNumber number;
  /// In the order of `SELECT *`: the partition key, the clustering columns, then static ones and
  /// regular ones, each by name (`comes_before`).
  std::vector<Column> columns;
  int partition_columns = 0, clustering_columns = 0;
  bool counter = false;  // its regular and static columns are counters
  /// Made WITH COMPACT STORAGE. Columns that Cassandra adds to such a table and hides (column1,
  /// value) are not among `columns`; system_schema shows them.
  bool compact = false;
  /// Rows are made by a generator (system_tables.h), not kept in the store.
  bool virtual_table = false;
  /// Rows are kept by others (cql_query/foreign_table.h): clients only read them, and the table is
  /// shown like any other.
  bool foreign = false;
  TableOptions options;
  std::vector<Index> indexes;                   // by name
  std::vector<DroppedColumn> dropped;           // in the order in which Cassandra tells them
  std::optional<View> view = {};                // of a materialised view
  std::map<std::string, std::string> triggers;  // name → class

  /// Its place in `columns`, or -1.
  int find(std::string_view column) const;
  const Column& partition_column(int i) const { return columns[static_cast<std::size_t>(i)]; }
  const Column& clustering_column(int i) const {
    return columns[static_cast<std::size_t>(partition_columns + i)];
  }
  int key_columns() const { return partition_columns + clustering_columns; }
  bool has_static() const;
  /// keyspace.name, each quoted where it must be.
  std::string text() const;
};
/// The order of columns that are no part of the key: static ones first, then by name, whose first 8
/// bytes Cassandra compares as a signed number.
bool comes_before(const Column& a, const Column& b);
using TablePtr = std::shared_ptr<const Table>;

/// A user's function; none can run here, they are kept and shown where a configuration allows them.
struct Function {
  std::string name, language, body;
  std::vector<std::string> argument_names;
  std::vector<TypePtr> argument_types;
  TypePtr returns;
  bool called_on_null_input = false;
};

struct Aggregate {
  std::string name, state_function;
  std::vector<TypePtr> argument_types;
  TypePtr state_type, returns;
  std::optional<std::string> final_function, initial;  // initial: a CQL literal
};

struct Keyspace {
  std::string name;
  std::map<std::string, std::string> replication;  // "class" with its whole name, and its options
  bool durable_writes = true;
  bool virtual_keyspace = false;
  std::map<std::string, TablePtr, std::less<>> tables;  // views too
  std::map<std::string, TypePtr, std::less<>> types;    // non-frozen
  std::vector<Function> functions;
  std::vector<Aggregate> aggregates;
};
using KeyspacePtr = std::shared_ptr<const Keyspace>;

/// The server's own keyspaces. Virtual ones are made by generators; local ones (those and `system`,
/// `system_schema`) nobody may change; of replicated ones only the replication.
bool is_virtual_keyspace(std::string_view name);
bool is_local_keyspace(std::string_view name);
bool is_replicated_system_keyspace(std::string_view name);
bool is_system_keyspace(std::string_view name);

class Schema {
 public:
  /// Null where there is none.
  const Keyspace* keyspace(std::string_view name) const;
  TablePtr table(std::string_view keyspace, std::string_view name) const;
  TypePtr type(std::string_view keyspace, std::string_view name) const;

  std::map<std::string, KeyspacePtr, std::less<>> keyspaces;
  /// A UUID's 16 bytes (version 3): of equal contents equal, as clients compare it between nodes.
  std::string version;
  /// Numbers below belong to the server's own tables.
  TableNumber next_table{1000};
};
using SchemaPtr = std::shared_ptr<const Schema>;

}  // namespace tailrace::cql_schema
