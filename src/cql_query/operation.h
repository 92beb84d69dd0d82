// What a statement does to one column: an assignment of UPDATE, a value of INSERT, a deletion of
// DELETE. Prepared once, then run for each row.
#pragma once

#include <memory>

#include "cql_query/row_writer.h"
#include "cql_syntax/data_statements.h"
#include "cql_terms/term.h"

namespace tailrace::cql_query {

class Operation {
 public:
  explicit Operation(const cql_schema::Column& column) : column_(column) {}
  virtual ~Operation() = default;

  /// `column_` is the table's, which must stay.
  const cql_schema::Column& column() const { return column_; }
  /// It asks RowWriter::seen.
  virtual bool reads() const { return false; }
  virtual Outcome<void> execute(const Bindings& bindings, RowWriter& writer) const = 0;

 protected:
  const cql_schema::Column& column_;
};
using OperationPtr = std::unique_ptr<const Operation>;

/// Where a column stands, for sentences and scopes.
struct ColumnPlace {
  const cql_schema::Table& table;
  const cql_schema::Column& column;

  cql_terms::ColumnSpec spec() const {
    return {table.keyspace, table.name, column.name, column.type};
  }
};

/// column = value: also what INSERT does.
Outcome<OperationPtr> prepare_set(const ColumnPlace& place, const cql_syntax::Expression& value,
                                  const cql_terms::Scope& scope);
/// `conditional`: the statement has conditions, so that column = column + value reads.
Outcome<OperationPtr> prepare_assignment(const ColumnPlace& place,
                                         const cql_syntax::Assignment& assignment,
                                         const cql_terms::Scope& scope, bool conditional);
Outcome<OperationPtr> prepare_deletion(const ColumnPlace& place,
                                       const cql_syntax::Deletion& deletion,
                                       const cql_terms::Scope& scope);

// Operations on multi-cell columns, by type; the terms are of the types these say.
OperationPtr set_list(const cql_schema::Column& column, cql_terms::TermPtr list);
OperationPtr append_to_list(const cql_schema::Column& column, cql_terms::TermPtr list);
OperationPtr prepend_to_list(const cql_schema::Column& column, cql_terms::TermPtr list);
OperationPtr remove_from_list(const cql_schema::Column& column, cql_terms::TermPtr list);
OperationPtr set_list_element(const cql_schema::Column& column, cql_terms::TermPtr index,
                              cql_terms::TermPtr value);
OperationPtr delete_list_element(const cql_schema::Column& column, cql_terms::TermPtr index);

/// Sets and maps: `elements` is of the column's type.
OperationPtr set_elements(const cql_schema::Column& column, cql_terms::TermPtr elements);
OperationPtr add_elements(const cql_schema::Column& column, cql_terms::TermPtr elements);
/// `keys` is a set of the column's elements or keys.
OperationPtr remove_elements(const cql_schema::Column& column, cql_terms::TermPtr keys);
OperationPtr put_map_element(const cql_schema::Column& column, cql_terms::TermPtr key,
                             cql_terms::TermPtr value);
OperationPtr delete_element(const cql_schema::Column& column, cql_terms::TermPtr key);

OperationPtr set_user_type(const cql_schema::Column& column, cql_terms::TermPtr value);
OperationPtr set_field(const cql_schema::Column& column, std::size_t field,
                       cql_terms::TermPtr value);
OperationPtr delete_field(const cql_schema::Column& column, std::size_t field);

}  // namespace tailrace::cql_query
