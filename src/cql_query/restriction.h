// One restriction of WHERE: what its relations, merged, say of a column or of a tuple of columns.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cql_query/restrictions.h"

namespace tailrace::cql_query {

/// A value, or a tuple's: a term each, or one term for the whole tuple.
struct Operand {
  cql_terms::TermPtr term;
  std::vector<cql_terms::TermPtr> parts = {};
  bool tuple = false;  // the one term's
};

struct Restriction {
  enum class Kind : std::uint8_t { kEqual, kIn, kSlice, kContains, kLike, kNotNull };
  Kind kind = Kind::kEqual;
  bool multi = false;
  std::vector<int> columns;                      // places in Table::columns; of one in any case
  std::vector<Operand> values;                   // kEqual, kLike: one; kIn: all
  int list_marker = -1;                          // kIn with one marker for the whole list …
  cql_protocol::ColumnSpec element;              // … of these
  bool tuples = false;                           // values are tuples, also those of one column
  std::array<std::optional<Operand>, 2> bounds;  // kSlice: of the start and of the end
  std::array<bool, 2> inclusive{};
  std::vector<cql_terms::TermPtr> contained, keys;                         // kContains
  std::vector<std::pair<cql_terms::TermPtr, cql_terms::TermPtr>> entries;  // kContains

  bool is_slice() const { return kind == Kind::kSlice; }
  int first() const { return columns.front(); }
};
using RestrictionPtr = std::shared_ptr<const Restriction>;

/// Both at once, or Cassandra's sentence on why they exclude each other.
Outcome<RestrictionPtr> merged(const cql_schema::Table& table, const RestrictionPtr& restriction,
                               const RestrictionPtr& other);

/// A relation alone.
Outcome<RestrictionPtr> restriction_of(const cql_syntax::Relation& relation,
                                       const cql_schema::TablePtr& table,
                                       const cql_terms::Scope& scope);

/// A relation as its sentence shows it: `a != 1`.
std::string relation_text(const cql_syntax::Relation& relation);

/// Elements of a bound operand; views of the bindings or of the term.
using Elements = std::vector<cql_protocol::Value>;
Outcome<Elements> bind_operand(const cql_schema::Table& table, const Restriction& restriction,
                               const Operand& operand, const Bindings& bindings);
/// Of kEqual and kIn: all values, each with an element a column.
Outcome<std::vector<Elements>> bind_values(const cql_schema::Table& table,
                                           const Restriction& restriction,
                                           const Bindings& bindings);

}  // namespace tailrace::cql_query
