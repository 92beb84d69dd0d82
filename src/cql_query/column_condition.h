// Conditions of IF: a column, an element or a field of it, compared with values. Prepared once,
// bound for each execution, then asked of the row that is there (Cassandra 5.0: ColumnCondition).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cql_query/operation.h"

namespace tailrace::cql_query {

/// "=", "!=", "CONTAINS KEY" …, as sentences have it.
std::string_view operator_text(cql_syntax::Operator op);

/// Of a value that is compared.
std::unexpected<cql_types::Failure> unset_in_condition();

class ColumnCondition;

/// Views into the bindings; they and the condition must stay.
struct BoundCondition {
  const ColumnCondition* condition = nullptr;
  std::optional<cql_terms::Value> element;  // column[element]
  std::vector<cql_terms::Value> values;     // any of them: one, or those of IN

  /// Of the row that is there; nullptr: none is. kInvalid for comparisons that mean nothing.
  Outcome<bool> applies_to(const cql_store::Row* row) const;
};

class ColumnCondition {
 public:
  static Outcome<ColumnCondition> prepare(const ColumnPlace& place,
                                          const cql_syntax::Relation& relation,
                                          const cql_terms::Scope& scope);

  const cql_schema::Column& column() const { return *column_; }
  /// What it compares with: kIn is any kEqual.
  cql_syntax::Operator comparison() const;
  /// The field of a user type, or -1.
  std::ptrdiff_t field() const { return field_; }
  Outcome<BoundCondition> bind(const Bindings& bindings) const;

 private:
  Outcome<void> bind_list(const cql_terms::Value& list, BoundCondition& to) const;

  const cql_schema::Column* column_ = nullptr;
  cql_syntax::Operator op_ = cql_syntax::Operator::kEqual;
  bool marker_for_all_ = false;
  std::ptrdiff_t field_ = -1;
  cql_terms::TermPtr element_;
  std::vector<cql_terms::TermPtr> values_;
};

}  // namespace tailrace::cql_query
