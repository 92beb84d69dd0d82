// INSERT, UPDATE and DELETE as they are prepared: which rows, what is done to them, on which
// conditions.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cql_query/column_condition.h"
#include "cql_query/json_row.h"
#include "cql_query/operation.h"
#include "cql_query/write_options.h"

namespace tailrace::cql_query {

/// What a statement is bound with; of INSERT JSON the values are those its text holds. The given
/// bindings must stay.
class StatementBindings {
 public:
  explicit StatementBindings(const Bindings& given) : given_(&given) {}
  StatementBindings(const Bindings& given, std::shared_ptr<const JsonRow> row);

  /// Of USING and IF.
  const Bindings& given() const { return *given_; }
  /// Of columns.
  const Bindings& columns() const { return json_ ? *json_ : *given_; }

 private:
  const Bindings* given_;
  std::shared_ptr<const JsonRow> row_;
  std::unique_ptr<Bindings> json_;
};

/// Operations, or conditions, on regular columns and on static ones.
template <typename T>
struct ByRow {
  std::vector<T> regular, of_static;

  bool empty() const { return regular.empty() && of_static.empty(); }
  void add(const cql_schema::Column& column, T one) {
    (column.kind == cql_schema::ColumnKind::kStatic ? of_static : regular)
        .push_back(std::move(one));
  }
};

class PreparedModification final : public Modification {
 public:
  /// What IF says.
  enum class If : std::uint8_t { kNothing, kExists, kNotExists, kColumns };

  const cql_schema::TablePtr& table() const override { return table_; }
  StatementKind kind() const override { return kind_; }
  bool has_conditions() const override { return if_ != If::kNothing; }
  bool sets_timestamp() const override { return options_.sets_timestamp(); }
  bool reads() const override { return reads_; }
  const std::vector<ViewPtr>& views() const override { return views_; }
  Outcome<void> apply(const Bindings& bindings, const Moment& moment,
                      const cql_store::Snapshot* snapshot,
                      cql_store::Mutation& mutation) const override;

  /// What Cassandra checks when all is prepared: counters, views, tables that cannot be written.
  Outcome<void> check() const;
  Outcome<StatementBindings> bind(const Bindings& bindings) const;
  /// Adds what it changes, as apply() does; `size` may be nullptr.
  Outcome<void> write(const StatementBindings& bindings, const Moment& moment,
                      const cql_store::Snapshot* snapshot, cql_store::Mutation& mutation,
                      BatchSize* size) const;

  // Parts of it, for lightweight transactions.
  If condition() const { return if_; }
  const ByRow<ColumnCondition>& conditions() const { return conditions_; }
  const ByRow<OperationPtr>& operations() const { return operations_; }
  const Restrictions& restrictions() const { return *restrictions_; }
  /// Rows are named, or there are no clustering columns: regular columns may change.
  bool updates_rows() const { return updates_rows_; }
  bool updates_static_row() const { return !operations_.of_static.empty(); }
  /// It deletes slices of rows.
  bool has_slices() const;
  Outcome<std::vector<Key>> keys(const StatementBindings& bindings) const;
  /// The rows of each partition: nullopt where none is named.
  Outcome<std::vector<std::optional<Clustering>>> rows(const StatementBindings& bindings) const;
  Outcome<std::int32_t> ttl(const StatementBindings& bindings) const;
  Outcome<void> write_row(const Key& key, const std::optional<Clustering>& clustering,
                          const StatementBindings& bindings, RowWriter& writer) const;
  Outcome<void> write_slice(const Key& key, const cql_store::Slice& slice, RowWriter& writer) const;

 private:
  friend class ModificationBuilder;

  bool only_static() const;
  bool lives_by_cells() const;
  Outcome<void> check_compact() const;
  Outcome<void> write_operations(const std::vector<OperationPtr>& operations,
                                 const StatementBindings& bindings, RowWriter& writer) const;

  cql_schema::TablePtr table_;
  StatementKind kind_ = StatementKind::kInsert;
  WriteOptions options_;
  If if_ = If::kNothing;
  ByRow<ColumnCondition> conditions_;
  ByRow<OperationPtr> operations_;
  RestrictionsPtr restrictions_;
  bool updates_rows_ = false;
  bool reads_ = false;
  std::vector<ViewPtr> views_;

  // INSERT JSON: its text, or the row in it where it is no marker.
  cql_terms::TermPtr json_;
  std::shared_ptr<const JsonRow> json_row_;
  bool json_default_unset_ = false;
};

/// Of a row, or of the only one of a table without clustering columns.
cql_store::RowKey row_key(const std::optional<Clustering>& clustering);

/// What prepare() made of it.
inline const PreparedModification& prepared(const Modification& statement) {
  return static_cast<const PreparedModification&>(statement);
}

}  // namespace tailrace::cql_query
