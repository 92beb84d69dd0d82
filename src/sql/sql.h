// Spark's pipeline SQL to engine plans: the interface of this room.
//
//   parse_pipeline(text, file) → statements      parse_query(text) → one statement of the shell
//   bind_flow(statement, catalog) → FlowPlan     bind_query(statement, catalog) → QueryPlan
//
// Errors are Spark's sentences with the place: "file:3:14: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A
// column … cannot be resolved. Did you mean one of the following? [`a`, `b`]". Codes:
// kInvalidArgument for SQL that is wrong, kNotFound for a relation that does not exist,
// kUnimplemented for SQL that Spark takes and we do not yet ("not supported yet: X"). Everything
// here is a pure function of its arguments; any thread may call it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/plan.h"
#include "sql/ast.h"

namespace tailrace::sql {

/// The relation with one row that a SELECT without FROM reads: one column `one` INT. Whoever runs
/// the plan feeds it.
inline constexpr std::string_view kOneRow = "system.one_row";

struct RelationInfo {
  enum class Kind { kTopic, kStreamingTable, kMaterializedView, kTemporaryView, kView, kSystem };
  Kind kind = Kind::kTopic;
  std::string name;                 ///< as FlowPlan::inputs shall name it
  Schema schema;                    ///< of everything but views
  const Statement* view = nullptr;  ///< kTemporaryView and kView: its statement, bound in place
};

/// What names mean to the binder.
class Catalog {
 public:
  virtual ~Catalog() = default;
  /// Names compare without case; `parts` is [name], [database, name] or [catalogue, database,
  /// name].
  virtual std::optional<RelationInfo> find(const std::vector<std::string>& parts) const = 0;
  /// All names, for SHOW TABLES and "did you mean".
  virtual std::vector<std::string> names() const = 0;
};

/// Every statement of a file. All errors of a file are found one at a time, the first is returned.
Result<std::vector<Statement>> parse_pipeline(std::string_view text, std::string file);

/// One statement of the shell: SELECT, SHOW TABLES, DESCRIBE, EXPLAIN SELECT; a final semicolon is
/// allowed.
Result<Statement> parse_query(std::string_view text, std::string file = "query");

/// The relations a statement reads, as written, without its own CTEs; for the graph's order.
struct Reference {
  Name name;
  bool streaming = false;
};
std::vector<Reference> references(const Statement& statement);

/// The query of a streaming table, materialised view, view or flow, optimised, with the rules of
/// streaming checked. `target` is the streaming table a kFlow writes into: its expectations are
/// bound and, when its columns are declared, the flow's columns are put in their order; null
/// otherwise. root->schema is the table's schema.
Result<engine::FlowPlan> bind_flow(const Statement& statement, const Catalog& catalog,
                                   const Statement* target = nullptr);

/// A SELECT of the shell. The final ORDER BY and LIMIT are beside the plan, since a Z-set has no
/// order; with LIMIT the plan already gives no more rows than that.
struct QueryPlan {
  engine::FlowPlan flow;
  std::vector<KeyColumn> order;  ///< columns of flow.root's schema
  std::optional<std::int64_t> limit;
  /// Columns to show: the rest, at the end, only carry the order.
  int visible_columns = 0;
};
Result<QueryPlan> bind_query(const Statement& statement, const Catalog& catalog);

/// A scalar expression over one schema, as a role or an alert rule writes it.
Result<engine::ExprPtr> bind_expression(std::string_view text, const Schema& schema,
                                        std::string file = "expression");

/// An expectation whose condition stands outside of the statement; `file` begins the places of its
/// errors.
Result<ExpectationClause> make_expectation(std::string name, std::string_view condition,
                                           engine::Expectation::Action action, std::string file);

/// A plan as an indented tree.
std::string explain(const engine::FlowPlan& plan);
std::string explain(const engine::Expr& expr, const Schema& input);

}  // namespace tailrace::sql
