// Names, types, terms and selectors: what every statement is made of. Plain values; a parsed tree
// is never deeper than Limits::depth (statement.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cql_syntax/token.h"

namespace tailrace::cql_syntax {

/// A table, view, type, index or function. Names are as they are stored: in small letters unless
/// they were quoted.
struct QualifiedName {
  Position at;
  std::optional<std::string> keyspace;
  std::string name;
};

struct Type {
  /// kNative: `name`. kUser: `keyspace`, `name`. kMap, kList, kSet, kTuple, kFrozen: `items`.
  /// kVector: one item and `dimension`. kCustom: `name` is a class.
  enum class Kind : std::uint8_t {
    kNative,
    kUser,
    kMap,
    kList,
    kSet,
    kTuple,
    kVector,
    kFrozen,
    kCustom
  };
  Kind kind = Kind::kNative;
  Position at;
  std::optional<std::string> keyspace;
  std::string name;
  int dimension = 0;
  std::vector<Type> items;
};

/// A term, or a selector: selectors know more kinds.
struct Expression {
  enum class Kind : std::uint8_t {
    kNothing,  // a bound of a slice that is not written
    // Constants: `text` as written, of a string without its quotes. NaN and the infinities are
    // floats, whatever their case.
    kString,
    kInteger,
    kFloat,
    kBoolean,
    kDuration,
    kUuid,
    kHex,
    kNull,
    kWord,       // a keyword as a property's value
    kMarker,     // `?`, or `:text`
    kCall,       // keyspace.text(items…)
    kCast,       // CAST(item AS type)
    kTypeHint,   // (type) item
    kNegation,   // -item
    kOperation,  // item text item, of + - * / %
    kList,
    kSet,
    kTuple,
    kMap,       // items are key, value, key, value, …
    kUserType,  // fields.size() == items.size()
    // Selectors only. There a tuple of one item is an expression in parentheses, and {a: 1} is
    // always a kMap.
    kColumn,
    kCountRows,
    kField,      // item.text
    kElement,    // item[item]
    kSlice,      // item[item..item]
    kWritetime,  // text is writetime, maxwritetime or ttl
  };
  Kind kind = Kind::kNothing;
  Position at;
  std::optional<std::string> keyspace;
  std::string text;
  std::vector<Expression> items;
  std::vector<std::string> fields;
  std::vector<Type> type;  // none or one
  int marker = -1;         // of a kMarker: its place among Statement::markers
};

enum class Operator : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kMore,
  kMoreEqual,
  kIn,
  kContains,
  kContainsKey,
  kLike,
  kIsNotNull,
};

/// Of a WHERE or an IF clause.
struct Relation {
  /// kColumn: one column. kElement: column[element]. kField: column.field, in conditions. kToken:
  /// token(columns). kTuple: (columns). kIndex: expr(column, value), of a custom index; `op` means
  /// nothing there.
  enum class Kind : std::uint8_t { kColumn, kElement, kField, kToken, kTuple, kIndex };
  Kind kind = Kind::kColumn;
  Position at;
  std::vector<std::string> columns;
  std::optional<Expression> element;
  std::string field;
  Operator op = Operator::kEqual;
  std::vector<Expression> values;
  bool marker_for_all = false;  // `IN ?`: one marker, which stands for the whole list
};

}  // namespace tailrace::cql_syntax
