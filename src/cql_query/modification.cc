// INSERT, UPDATE and DELETE prepared: what Cassandra 5.0 checks, in its order.
#include "cql_query/modification.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cql_query/prepared_modification.h"
#include "cql_query/view.h"
#include "cql_schema/compact.h"
#include "cql_types/type.h"

namespace tailrace::cql_query {

using cql_schema::Column;
using cql_schema::ColumnKind;
using cql_schema::Table;
using cql_schema::TablePtr;
using cql_syntax::Delete;
using cql_syntax::Expression;
using cql_syntax::Insert;
using cql_syntax::Relation;
using cql_syntax::Update;
using cql_terms::Scope;
using cql_types::invalid;

namespace {

bool is_key(const Column& column) {
  return column.kind == ColumnKind::kPartitionKey || column.kind == ColumnKind::kClustering;
}

Outcome<const Column*> existing_column(const Table& table, std::string_view name) {
  const int at = table.find(name);
  if (at < 0) {
    return invalid(fmt::format("Undefined column name {} in table {}",
                               cql_types::quoted_if_needed(name), table_text(table)));
  }
  return &table.columns[static_cast<std::size_t>(at)];
}

}  // namespace

class ModificationBuilder {
 public:
  ModificationBuilder(StatementKind kind, const TablePtr& table, const Scope& scope)
      : made_(std::make_shared<PreparedModification>()), table_(*table), scope_(scope) {
    made_->kind_ = kind;
    made_->table_ = table;
  }

  Outcome<void> build(const Insert& statement) {
    TRY(prepare_options(statement.options));
    if (statement.if_not_exists) made_->if_ = PreparedModification::If::kNotExists;
    return statement.json ? insert_json(statement) : insert(statement, scope_);
  }

  Outcome<void> build(const Update& statement) {
    TRY(prepare_options(statement.options));
    TRY(prepare_conditions(statement.if_exists, statement.conditions, statement.options));
    for (const auto& assignment : statement.assignments) {
      ASSIGN(const Column* column, existing_column(table_, assignment.column));
      if (is_key(*column)) {
        return invalid(fmt::format("PRIMARY KEY part {} found in SET part", column->name));
      }
      ASSIGN(auto operation,
             prepare_assignment({table_, *column}, assignment, scope_, made_->has_conditions()));
      made_->operations_.add(*column, std::move(operation));
    }
    return restrict(statement.where);
  }

  Outcome<void> build(const Delete& statement) {
    TRY(prepare_options(statement.options));
    TRY(prepare_conditions(statement.if_exists, statement.conditions, statement.options));
    for (const auto& deletion : statement.deletions) {
      ASSIGN(const Column* column, existing_column(table_, deletion.column));
      if (is_key(*column)) {
        return invalid(fmt::format(
            "Invalid identifier {} for deletion (should not be a PRIMARY KEY part)", column->name));
      }
      ASSIGN(auto operation, prepare_deletion({table_, *column}, deletion, scope_));
      made_->operations_.add(*column, std::move(operation));
    }
    TRY(restrict(statement.where));
    TRY(check_conditions());
    return check_conditional_deletion();
  }

  Outcome<std::shared_ptr<const Modification>> finish(bool in_batch) {
    TRY(check_conditions());
    made_->updates_rows_ = table_.clustering_columns == 0 || made_->restrictions_->has_clustering();
    const auto reads = [](const OperationPtr& operation) { return operation->reads(); };
    made_->reads_ = std::ranges::any_of(made_->operations_.regular, reads) ||
                    std::ranges::any_of(made_->operations_.of_static, reads);
    ASSIGN(made_->views_, views_of(made_->table_, scope_.schema));
    if (!in_batch) TRY(made_->check());
    return made_;
  }

 private:
  static std::unexpected<cql_types::Failure> custom_timestamp() {
    return invalid("Cannot provide custom timestamp for conditional updates");
  }

  Outcome<void> prepare_options(const cql_syntax::Using& options) {
    ASSIGN(made_->options_, WriteOptions::prepare(options, table_.keyspace, table_.name, scope_));
    return {};
  }

  Outcome<void> prepare_conditions(bool if_exists, const std::vector<Relation>& conditions,
                                   const cql_syntax::Using& options) {
    if (if_exists) made_->if_ = PreparedModification::If::kExists;
    if (if_exists || conditions.empty()) return {};
    const bool with_timestamp = std::ranges::any_of(options, [](const auto& option) {
      return option.kind == cql_syntax::Option::Kind::kTimestamp;
    });
    if (with_timestamp) return custom_timestamp();
    made_->if_ = PreparedModification::If::kColumns;
    for (const Relation& relation : conditions) {
      ASSIGN(const Column* column, existing_column(table_, relation.columns[0]));
      ASSIGN(auto condition, ColumnCondition::prepare({table_, *column}, relation, scope_));
      if (is_key(*column)) {
        return invalid(
            fmt::format("PRIMARY KEY column '{}' cannot have IF conditions", column->name));
      }
      made_->conditions_.add(*column, std::move(condition));
    }
    return {};
  }

  Outcome<void> insert(const Insert& statement, const Scope& scope) {
    if (table_.counter) {
      return invalid("INSERT statements are not allowed on counter tables, use UPDATE instead");
    }
    if (statement.columns.size() != statement.values.size()) {
      return invalid("Unmatched column names/values");
    }
    if (std::set(statement.columns.begin(), statement.columns.end()).size() !=
        statement.columns.size()) {
      return invalid("The column names contains duplicates");
    }
    std::vector<Relation> where;
    bool names_row = false;
    for (std::size_t i = 0; i < statement.columns.size(); ++i) {
      ASSIGN(const Column* column, existing_column(table_, statement.columns[i]));
      names_row |= column->kind == ColumnKind::kClustering;
      if (is_key(*column)) {
        Relation& relation = where.emplace_back();
        relation.at = statement.values[i].at;
        relation.columns.push_back(column->name);
        relation.values.push_back(statement.values[i]);
        continue;
      }
      ASSIGN(auto operation, prepare_set({table_, *column}, statement.values[i], scope));
      made_->operations_.add(*column, std::move(operation));
    }
    TRY(restrict(where, scope, !names_row && made_->only_static()));
    // The hidden clustering column of Cassandra's compact tables without one of their own.
    const bool no_cell = made_->operations_.empty() && table_.clustering_columns == 0;
    if (table_.compact && no_cell)
      return invalid("Some clustering keys are missing: " + hidden_columns(table_).front().name);
    return {};
  }

  // As an INSERT of a marker for each column, which the text's row gives values.
  Outcome<void> insert_json(const Insert& statement) {
    if (table_.counter) {
      return invalid("INSERT statements are not allowed on counter tables, use UPDATE instead");
    }
    TRY(prepare_json(*statement.json, statement.default_unset));
    Insert columns;
    for (int i = 0; const Column& column : table_.columns) {
      Expression marker;
      marker.kind = Expression::Kind::kMarker;
      marker.marker = i++;
      columns.columns.push_back(column.name);
      columns.values.push_back(std::move(marker));
    }
    std::vector<cql_terms::ColumnSpec> markers(table_.columns.size());
    const std::vector<std::string> names(table_.columns.size());
    Scope scope = scope_;
    scope.markers = &markers;
    scope.marker_names = &names;
    return insert(columns, scope);
  }

  Outcome<void> prepare_json(const Expression& json, bool default_unset) {
    if (json.kind != Expression::Kind::kMarker) {
      ASSIGN(made_->json_row_, json_row(table_, json.text, default_unset, scope_.now_ms * 1'000));
      return {};
    }
    const cql_terms::ColumnSpec receiver{table_.keyspace, table_.name, "[json]",
                                         cql_types::native_type(cql_types::Kind::kText)};
    ASSIGN(made_->json_, cql_terms::prepare(json, receiver, scope_));
    made_->json_default_unset_ = default_unset;
    return {};
  }

  Outcome<void> restrict(const std::vector<Relation>& where) {
    const bool custom = std::ranges::any_of(
        where, [](const Relation& one) { return one.kind == Relation::Kind::kIndex; });
    if (custom) {
      return invalid(
          "Custom index expressions cannot be used in WHERE clauses for UPDATE or DELETE "
          "statements");
    }
    return restrict(where, scope_, made_->only_static());
  }

  Outcome<void> restrict(const std::vector<Relation>& where, const Scope& scope, bool only_static) {
    Restrictions::Intent intent;
    intent.kind = made_->kind_;
    intent.only_static = only_static;
    ASSIGN(made_->restrictions_, Restrictions::prepare(where, made_->table_, scope, intent));
    return {};
  }

  Outcome<void> check_conditions() const {
    if (!made_->has_conditions()) return {};
    if (table_.counter) {
      return invalid("Conditional updates are not supported on counter tables");
    }
    if (made_->sets_timestamp()) return custom_timestamp();
    return {};
  }

  Outcome<void> check_conditional_deletion() const {
    const Restrictions& restrictions = *made_->restrictions_;
    bool whole_key = !restrictions.has_slice_on_clustering();
    for (int i = 0; i < table_.key_columns(); ++i) whole_key &= restrictions.is_restricted(i);
    if (!made_->has_conditions() || whole_key) return {};
    const std::string sentence =
        "DELETE statements must restrict all PRIMARY KEY columns with equality relations";
    if (table_.virtual_table) return invalid(sentence);
    if (!made_->operations_.regular.empty() || made_->operations_.of_static.empty()) {
      return invalid(sentence + " in order to delete non static columns");
    }
    if (!made_->conditions_.regular.empty()) {
      return invalid(sentence + " in order to use IF condition on non static columns");
    }
    return {};
  }

  std::shared_ptr<PreparedModification> made_;
  const Table& table_;
  const Scope& scope_;
};

Outcome<std::shared_ptr<const Modification>> Modification::prepare(
    const std::variant<Insert, Update, Delete>& statement, const TablePtr& table,
    const Scope& scope, bool in_batch) {
  static constexpr StatementKind kKinds[] = {StatementKind::kInsert, StatementKind::kUpdate,
                                             StatementKind::kDelete};
  ModificationBuilder builder(kKinds[statement.index()], table, scope);
  TRY(std::visit([&](const auto& one) { return builder.build(one); }, statement));
  return builder.finish(in_batch);
}

}  // namespace tailrace::cql_query
