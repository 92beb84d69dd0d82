// Statements that change keyspaces, tables, types, indexes, views, functions, aggregates and
// triggers.
#pragma once

#include <utility>

#include "cql_syntax/data_statements.h"

namespace tailrace::cql_syntax {

/// name = value: a constant, a kWord, or a kMap of constants.
struct Property {
  Position at;
  std::string name;
  Expression value;
};

struct CreateKeyspace {
  bool if_not_exists = false;
  std::string name;
  std::vector<Property> properties;
};

struct AlterKeyspace {
  bool if_exists = false;
  std::string name;
  std::vector<Property> properties;
};

/// MASKED WITH function(arguments…), or WITH DEFAULT where there is no function.
struct Mask {
  std::optional<QualifiedName> function;
  std::vector<Expression> arguments;
};

struct Column {
  Position at;
  std::string name;
  Type type;
  bool is_static = false;
  std::optional<Mask> mask;
};

struct ClusteringOrder {
  std::string column;
  bool descending = false;
};

struct PrimaryKey {
  std::vector<std::string> partition;
  std::vector<std::string> clustering;
};

struct TableOptions {
  std::vector<Property> properties;
  bool compact_storage = false;
  std::vector<ClusteringOrder> clustering_order;
};

struct CreateTable {
  bool if_not_exists = false;
  QualifiedName name;
  std::vector<Column> columns;
  std::optional<PrimaryKey> primary_key;  // the grammar does not ask for one
  TableOptions options;
};

struct AlterTable {
  enum class Kind : std::uint8_t {
    kAlterType,
    kMask,
    kDropMask,
    kAdd,
    kDrop,
    kRename,
    kDropCompactStorage,
    kOptions
  };
  Kind kind = Kind::kOptions;
  bool if_exists = false;
  QualifiedName name;
  bool if_column_exists = false;      // IF EXISTS of kMask, kDropMask, kDrop, kRename
  bool if_column_not_exists = false;  // IF NOT EXISTS of kAdd
  std::vector<Column> columns;        // of kAdd; of kAlterType and kMask one; else only their names
  std::vector<std::pair<std::string, std::string>> renamed;
  std::optional<std::string> timestamp;  // of kDrop, as written
  std::vector<Property> properties;
};

struct Field {
  std::string name;
  Type type;
};

struct CreateType {
  bool if_not_exists = false;
  QualifiedName name;
  std::vector<Field> fields;
};

struct AlterType {
  enum class Kind : std::uint8_t { kAlter, kAdd, kRename };
  Kind kind = Kind::kAdd;
  bool if_exists = false;
  QualifiedName name;
  bool if_field = false;  // IF NOT EXISTS of kAdd, IF EXISTS of kRename
  Field field;            // of kAlter and kAdd
  std::vector<std::pair<std::string, std::string>> renamed;
};

struct IndexTarget {
  enum class Kind : std::uint8_t { kSimple, kValues, kKeys, kEntries, kFull };
  Kind kind = Kind::kSimple;
  std::string column;
};

struct CreateIndex {
  bool custom = false;
  bool if_not_exists = false;
  std::string name;  // empty: none is given
  QualifiedName table;
  std::vector<IndexTarget> targets;
  std::optional<std::string> class_name;
  std::vector<Property> properties;
};

struct CreateView {
  bool if_not_exists = false;
  QualifiedName name;
  std::vector<Selector> selectors;  // none: `*`
  QualifiedName from;
  std::vector<Relation> where;
  PrimaryKey primary_key;
  TableOptions options;
};

struct AlterView {
  bool if_exists = false;
  QualifiedName name;
  std::vector<Property> properties;
};

struct CreateTrigger {
  bool if_not_exists = false;
  std::string name;
  QualifiedName table;
  std::string class_name;
};

struct DropTrigger {
  bool if_exists = false;
  std::string name;
  QualifiedName table;
};

struct CreateFunction {
  bool or_replace = false;
  bool if_not_exists = false;
  QualifiedName name;
  std::vector<Field> arguments;
  bool called_on_null_input = false;
  Type returns;
  std::string language;
  std::string body;
};

struct CreateAggregate {
  bool or_replace = false;
  bool if_not_exists = false;
  QualifiedName name;
  std::vector<Type> arguments;
  std::string state_function;
  Type state_type;
  std::optional<std::string> final_function;
  std::optional<Expression> initial;
};

/// DROP of what a name alone, or a name with argument types, tells.
struct Drop {
  enum class Kind : std::uint8_t { kKeyspace, kTable, kType, kIndex, kView, kFunction, kAggregate };
  Kind kind = Kind::kTable;
  bool if_exists = false;
  QualifiedName name;                          // of a keyspace: its name
  std::optional<std::vector<Type>> arguments;  // of a function or an aggregate
};

}  // namespace tailrace::cql_syntax
