// Statements that read and write rows.
#pragma once

#include <variant>

#include "cql_syntax/expression.h"

namespace tailrace::cql_syntax {

struct Selector {
  Expression expression;
  std::string alias;  // empty: none
};

struct Ordering {
  std::string column;
  std::optional<Expression> ann_of;
  bool descending = false;
};

struct Select {
  bool json = false;
  bool distinct = false;
  std::vector<Selector> selectors;  // none: `*`
  QualifiedName from;
  std::vector<Relation> where;
  std::vector<Expression> group_by;
  std::vector<Ordering> order_by;
  std::optional<Expression> per_partition_limit;
  std::optional<Expression> limit;
  bool allow_filtering = false;
};

/// One of USING TIMESTAMP … AND TTL …; where one is written twice the last counts.
struct Option {
  enum class Kind : std::uint8_t { kTimestamp, kTtl };
  Kind kind = Kind::kTimestamp;
  Expression value;
};
using Using = std::vector<Option>;

struct Insert {
  QualifiedName into;
  std::vector<std::string> columns;
  std::vector<Expression> values;
  std::optional<Expression>
      json;  // a string or a marker; then there are neither columns nor values
  bool default_unset = false;
  bool if_not_exists = false;
  Using options;
};

struct Assignment {
  /// kSet: c = value. kAdd, kSubtract: c = c ± value, c ±= value. kPrepend: c = value + c.
  /// kElement: c[key] = value. kField: c.field = value.
  enum class Kind : std::uint8_t { kSet, kAdd, kSubtract, kPrepend, kElement, kField };
  Kind kind = Kind::kSet;
  Position at;
  std::string column;
  std::optional<Expression> key;
  std::string field;
  Expression value;
};

struct Update {
  QualifiedName table;
  Using options;
  std::vector<Assignment> assignments;
  std::vector<Relation> where;
  bool if_exists = false;
  std::vector<Relation> conditions;
};

/// A column, column[element] or column.field.
struct Deletion {
  std::string column;
  std::optional<Expression> element;
  std::string field;
};

struct Delete {
  std::vector<Deletion> deletions;  // none: the rows
  QualifiedName from;
  Using options;
  std::vector<Relation> where;
  bool if_exists = false;
  std::vector<Relation> conditions;
};

struct Batch {
  enum class Kind : std::uint8_t { kLogged, kUnlogged, kCounter };
  Kind kind = Kind::kLogged;
  Using options;
  std::vector<std::variant<Insert, Update, Delete>> statements;
};

struct Truncate {
  QualifiedName table;
};

struct Use {
  std::string keyspace;
};

}  // namespace tailrace::cql_syntax
