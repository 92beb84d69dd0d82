// Lightweight transactions: conditions on rows of one partition, and what is written if all of them
// hold (Cassandra 5.0: CQL3CasRequest). The answer has [applied], and if it is false the rows the
// conditions looked at.
//
// Order of calls: make() → decide() on the store's thread → answer().
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cql_query/prepared_modification.h"

namespace tailrace::cql_query {

class ConditionalRequest {
 public:
  /// The statements, at least one of which has conditions, are of one table. kInvalid for what
  /// spans partitions, and for conditions that exclude each other.
  static Outcome<std::unique_ptr<ConditionalRequest>> make(
      std::span<const BoundModification> statements, bool is_batch, const Moment& moment);

  /// Reads, and writes to `mutation` if all conditions hold, at a new time of the server's.
  Outcome<void> decide(const cql_store::Snapshot& snapshot, cql_store::Mutation& mutation);
  /// After decide().
  cql_protocol::Answer answer() &&;

 private:
  struct RowConditions {
    PreparedModification::If kind = PreparedModification::If::kColumns;
    std::optional<Clustering> clustering;
    std::vector<BoundCondition> columns;
  };
  struct RowUpdate {
    const PreparedModification* statement;
    const StatementBindings* bindings;
    std::optional<Clustering> clustering;
    std::optional<cql_store::Slice> slice;
  };
  // A row that was read, with what its views lie in.
  struct ReadRow {
    bool found = false;
    cql_store::Row row;
    cql_store::Snapshot::Buffer buffer;

    const cql_store::Row* get() const { return found ? &row : nullptr; }
  };

  ConditionalRequest(const PreparedModification& first, bool is_batch, const Moment& moment);

  Outcome<void> add(const PreparedModification& statement, const Bindings& given);
  Outcome<void> name_partition(const PreparedModification& statement,
                               const StatementBindings& bindings);
  Outcome<void> add_conditions(const PreparedModification& statement,
                               const StatementBindings& bindings,
                               const std::optional<Clustering>& clustering);
  Outcome<void> add_exists(RowConditions& row, bool is_new, PreparedModification::If kind);
  Outcome<void> add_columns(RowConditions& row, bool is_new,
                            const std::vector<ColumnCondition>& conditions,
                            const Bindings& bindings);
  RowConditions& conditions_of(const std::optional<Clustering>& clustering, bool of_static,
                               bool& is_new);

  Status read(const cql_store::Snapshot& snapshot, const cql_store::RowKey& key, ReadRow& into);
  Outcome<bool> holds(const RowConditions& conditions, const cql_store::Row* row) const;
  Outcome<bool> all_hold() const;
  Outcome<void> write(const cql_store::Snapshot& snapshot, cql_store::Mutation& mutation);

  // The answer of what did not apply.
  void choose_columns();
  bool shows(int place) const;
  bool static_row_is_visible() const;
  Outcome<void> show_rows(const cql_store::Snapshot& snapshot);
  Outcome<void> show(const cql_store::Row* row);

  const cql_schema::TablePtr table_;
  const bool is_batch_;
  const Moment moment_;
  std::int64_t now_us_ = 0;
  Key key_;
  bool named_ = false;

  std::deque<StatementBindings> bindings_;
  std::vector<RowUpdate> updates_;
  std::optional<RowConditions> static_conditions_;
  std::map<std::string, RowConditions> row_conditions_;  // by clustering key

  bool all_columns_ = false;            // IF [NOT] EXISTS: they are all shown
  bool reads_rows_ = false;             // regular columns are read
  bool reads_static_row_ = false;       // all static columns are read
  std::vector<int> condition_columns_;  // their places in Table::columns, as shown_

  std::deque<ReadRow> rows_;  // by row_conditions_
  ReadRow static_row_;
  bool applied_ = false;
  std::vector<int> shown_;
  std::string content_;
  std::int32_t shown_rows_ = 0;
};

}  // namespace tailrace::cql_query
