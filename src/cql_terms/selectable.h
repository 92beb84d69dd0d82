// A selector as it is written, its columns and functions looked up; and the node made of it.
#pragma once

#include "cql_terms/raw_term.h"
#include "cql_terms/selector_node.h"

namespace tailrace::cql_terms {

/// A view of a tree, a table and a scope, all of which must stay.
class Selectable : public Operand {
 public:
  /// kInvalid for unknown columns and functions, in Cassandra's words.
  static Outcome<Selectable> of(const Expression& expression, const cql_schema::Table& table,
                                const Scope& scope);

  Outcome<Match> test(const ColumnSpec& receiver) const override;
  Outcome<TypePtr> compatible_type() const override;
  std::string text() const override;
  bool is_marker() const override { return false; }
  std::optional<std::size_t> list_size() const override;
  /// Null where only what receives it can tell.
  Outcome<TypePtr> exact_type() const;

  /// `expected` may be null.
  Outcome<NodePtr> build(const TypePtr& expected, Parts& parts) const;

  int column() const { return column_; }
  const FunctionPtr& function() const { return function_; }

 private:
  Selectable(const Expression& expression, const cql_schema::Table& table, const Scope& scope)
      : expression_(&expression), table_(&table), scope_(&scope) {}

  bool is_term() const;
  RawTerm term() const { return {*expression_, *scope_}; }
  RawTerm subscript(std::size_t i) const { return {expression_->items[i], *scope_}; }
  ColumnSpec spec(std::string name, TypePtr type) const {
    return {table_->keyspace, table_->name, std::move(name), std::move(type)};
  }
  const Type* user_type_field(const Type& type, const Expression& key, std::size_t& field) const;
  std::unexpected<cql_types::Failure> unknown_field(const Type& type, const Expression& key) const;
  std::unexpected<cql_types::Failure> cannot_infer() const;
  Outcome<void> look_up_call();
  Outcome<std::vector<Selectable>> map_parts() const;
  Outcome<Match> test_list_literal(const ColumnSpec& receiver) const;
  Outcome<Match> test_map_or_user_type(const ColumnSpec& receiver) const;
  Outcome<TypePtr> first_exact_type() const;
  Outcome<TypePtr> tuple_type(bool exact) const;
  Outcome<TypePtr> known_type(const TypePtr& expected) const;

  Outcome<NodePtr> build_column(bool cells, Parts& parts) const;
  Outcome<NodePtr> build_term(const TypePtr& expected, Parts& parts) const;
  Outcome<NodePtr> build_call(Parts& parts) const;
  Outcome<NodePtr> build_cast(Parts& parts) const;
  Outcome<NodePtr> build_hint(Parts& parts) const;
  Outcome<NodePtr> build_tuple(const TypePtr& expected, Parts& parts) const;
  Outcome<NodePtr> build_list(const TypePtr& expected, Parts& parts) const;
  Outcome<NodePtr> build_set(const TypePtr& expected, Parts& parts) const;
  Outcome<NodePtr> build_map(const TypePtr& expected, Parts& parts) const;
  Outcome<NodePtr> build_user_type(const TypePtr& type, Parts& parts) const;
  Outcome<NodePtr> build_field(Parts& parts) const;
  Outcome<NodePtr> build_element(Parts& parts) const;
  Outcome<NodePtr> build_slice(const TypePtr& expected, Parts& parts) const;
  Outcome<NodePtr> build_times(const TypePtr& expected, Parts& parts) const;
  Outcome<std::vector<NodePtr>> build_items(const TypePtr& expected, Parts& parts) const;
  Outcome<int> key_slot(std::size_t item, const NodePtr& selected, std::string_view what,
                        bool may_be_unset, Parts& parts) const;

  const Expression* expression_;
  const cql_schema::Table* table_;
  const Scope* scope_;
  std::vector<Selectable> items_;  // selectors within: not subscripts, of maps the values
  int column_ = -1;                // of a kColumn, and of what kWritetime is about
  FunctionPtr function_;           // of calls and operations
};

/// A column's mask and its arguments' values, where it is masked and must be.
Outcome<std::pair<FunctionPtr, std::vector<Made>>> mask_of(const cql_schema::Column& column,
                                                           const cql_schema::Table& table,
                                                           const Scope& scope);

}  // namespace tailrace::cql_terms
