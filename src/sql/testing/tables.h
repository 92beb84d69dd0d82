// Tables of a test, from DDL and JSON lines, and a plan run over them by a Circuit. Only tests use
// this.
#pragma once

#include <map>

#include "engine/circuit.h"
#include "sql/sql.h"

namespace tailrace::sql::testing {

class Tables : public Catalog {
 public:
  /// A materialised view unless `kind` says otherwise.
  Status add(const std::string& name, const std::string& ddl,
             const std::vector<std::string>& json_lines,
             RelationInfo::Kind kind = RelationInfo::Kind::kMaterializedView);
  void add_view(const Statement* statement);

  std::optional<RelationInfo> find(const std::vector<std::string>& parts) const override;
  std::vector<std::string> names() const override;
  /// Null when there is no such table.
  Batch rows(const std::string& name) const;

 private:
  struct Table {
    RelationInfo info;
    Batch rows;
  };
  std::map<std::string, Table> tables_;
};

/// The plan's rows after one step over all the tables' rows; an Error when a row was rejected.
Result<Batch> run(const engine::FlowPlan& plan, const Tables& tables);

/// The first `columns` of each row as "a | b": CAST(value AS STRING), null as NULL.
Result<std::vector<std::string>> as_text(const arrow::RecordBatch& rows, int columns);

}  // namespace tailrace::sql::testing
