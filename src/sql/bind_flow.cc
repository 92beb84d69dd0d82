// The doors of the binder: flows, the shell's queries, lone expressions.
#include "sql/bind/binder.h"
#include "sql/bind/make.h"
#include "sql/optimise/optimise.h"
#include "sql/parser.h"
#include "sql/sql.h"

namespace tailrace::sql {
namespace {

using engine::ExprPtr;
using engine::FlowPlan;
using engine::PlanPtr;

std::unexpected<Error> fail(const Statement& statement, std::size_t at, const std::string& what) {
  return error(Code::kInvalidArgument, statement.source->place(at) + ": " + what);
}

Status check_streaming(const Statement& statement, const engine::Plan& plan) {
  const std::string flow = "`" + statement.name.text() + "`";
  const bool streaming = is_streaming(plan);
  const bool table = statement.kind == Statement::Kind::kStreamingTable ||
                     statement.kind == Statement::Kind::kFlow;
  if (table && !streaming) {
    return fail(statement, statement.query->span.begin,
                "[INVALID_FLOW_QUERY_TYPE.BATCH_RELATION_FOR_STREAMING_TABLE] Flow " + flow +
                    " returns an invalid relation type. "
                    "Streaming tables may only be defined by streaming relations, but the flow " +
                    flow +
                    " attempts to write a "
                    "batch relation to the streaming table. Consider using the STREAM operator to "
                    "convert the batch relation into a "
                    "streaming relation, or populating the streaming table with an append "
                    "once-flow instead.");
  }
  if (statement.kind == Statement::Kind::kMaterializedView && streaming) {
    return fail(
        statement, statement.query->span.begin,
        "[INVALID_FLOW_QUERY_TYPE.STREAMING_RELATION_FOR_MATERIALIZED_VIEW] Flow " + flow +
            " returns an invalid relation "
            "type. Materialized views may only be defined by a batch relation, but the flow " +
            flow +
            " attempts to write a "
            "streaming relation to the materialized view. Leave STREAM out, or write CREATE "
            "STREAMING "
            "TABLE.");
  }
  return {};
}

// The query's columns as the declared list says: checked by place for the table's own query, put in
// order for a flow.
Result<PlanPtr> declared(const Statement& table, const Statement& statement, const PlanPtr& plan) {
  const auto& columns = table.columns;
  const auto& schema = *plan->schema;
  if (columns.empty()) return plan;
  const auto mismatch = [&](const std::string& what) {
    return fail(statement, statement.query->span.begin,
                "[USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE] Table `" + table.name.text() +
                    "` has a user-specified schema that is incompatible "
                    "with the schema inferred from its query: " +
                    what);
  };
  if (static_cast<int>(columns.size()) != schema.num_fields()) {
    return mismatch(std::to_string(columns.size()) + " columns are declared, the query has " +
                    std::to_string(schema.num_fields()) + ".");
  }
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  bool changed = false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    int at = -1;
    for (int c = 0; c < schema.num_fields(); ++c) {
      if (same_name(schema.field(c)->name(), columns[i].name)) at = c;
    }
    if (at < 0)
      return mismatch("the query has no column `" + columns[i].name + "`." +
                      suggestion(columns[i].name, schema.field_names()));
    if (columns[i].not_null && schema.field(at)->nullable())
      return mismatch("`" + columns[i].name + "` is declared NOT NULL.");
    auto expr = make_column(at, schema.field(at)->type());
    if (columns[i].type && !columns[i].type->Equals(*expr->type)) {
      return mismatch("`" + columns[i].name + "` is declared " + spark_name(*columns[i].type) +
                      ", the query gives " + spark_name(*expr->type) + ".");
    }
    changed |= at != static_cast<int>(i);
    exprs.push_back(std::move(expr));
    names.push_back(columns[i].name);
  }
  return changed ? make_project(plan, std::move(exprs), std::move(names)) : plan;
}

Result<std::vector<engine::Expectation>> expectations(const Statement& table,
                                                      const Catalog& catalog,
                                                      const arrow::Schema& schema) {
  std::vector<engine::Expectation> made;
  std::vector<ScopeColumn> columns;
  for (int i = 0; i < schema.num_fields(); ++i) {
    columns.push_back({table.name.parts, schema.field(i)->name(),
                       make_column(i, schema.field(i)->type()), false});
  }
  const Scope scope{&columns, {}};
  for (const auto& clause : table.expectations) {
    Binder binder(catalog, clause.source ? clause.source : table.source);
    ASSIGN(auto condition, binder.condition(*clause.condition, scope, nullptr, "EXPECT"));
    made.push_back({clause.name, fold_constants(condition), clause.text, clause.action});
  }
  return made;
}

// Two columns of one name cannot be a table's.
Status unique_names(const Statement& statement, const arrow::Schema& schema) {
  for (int i = 0; i < schema.num_fields(); ++i) {
    for (int j = 0; j < i; ++j) {
      if (!same_name(schema.field(i)->name(), schema.field(j)->name())) continue;
      return fail(statement, statement.query->span.begin,
                  "[COLUMN_ALREADY_EXISTS] The column `" + lower(schema.field(i)->name()) +
                      "` already exists. Choose another name "
                      "or rename the existing column.");
    }
  }
  return {};
}

}  // namespace

Result<FlowPlan> bind_flow(const Statement& statement, const Catalog& catalog,
                           const Statement* target) {
  if (!statement.query) return fail(statement, statement.span.begin, "the statement has no query");
  Binder binder(catalog, statement.source);
  ASSIGN(auto bound, binder.query(*statement.query));
  TRY(check_streaming(statement, *bound.plan));
  TRY(unique_names(statement, *bound.plan->schema));
  const Statement& table = target ? *target : statement;
  PlanPtr root = bound.plan;
  const bool view =
      statement.kind == Statement::Kind::kTemporaryView || statement.kind == Statement::Kind::kView;
  if (!view) {
    ASSIGN(root, declared(table, statement, root));
  }
  FlowPlan flow;
  ASSIGN(flow.expectations, expectations(table, catalog, *root->schema));
  flow.root = optimise(std::move(root));
  flow.inputs = std::move(binder).inputs();
  return flow;
}

Result<QueryPlan> bind_query(const Statement& statement, const Catalog& catalog) {
  if (!statement.query) return fail(statement, statement.span.begin, "the statement has no query");
  Binder binder(catalog, statement.source);
  ASSIGN(auto ordered, binder.ordered_query(*statement.query));
  if (is_streaming(*ordered.bound.plan)) {
    return fail(statement, statement.query->span.begin,
                "a query of the shell reads tables as they are now: leave STREAM out");
  }
  QueryPlan made;
  made.limit = statement.query->limit;
  made.visible_columns = static_cast<int>(ordered.visible);
  for (const auto& order : ordered.order)
    made.order.push_back({order.expr->column, order.descending, order.nulls_first});
  made.flow.root = optimise(ordered.bound.plan);
  made.flow.inputs = std::move(binder).inputs();
  return made;
}

Result<ExpectationClause> make_expectation(std::string name, std::string_view condition,
                                           engine::Expectation::Action action, std::string file) {
  ExpectationClause made;
  made.name = std::move(name);
  made.action = action;
  made.text = condition;
  made.source = std::make_shared<const Source>(Source{std::move(file), made.text});
  ASSIGN(auto tokens, lex(*made.source));
  ASSIGN(made.condition, Parser(made.source, std::move(tokens)).lone_expression());
  return made;
}

Result<ExprPtr> bind_expression(std::string_view text, const Schema& schema, std::string file) {
  struct Empty : Catalog {
    std::optional<RelationInfo> find(const std::vector<std::string>&) const override {
      return std::nullopt;
    }
    std::vector<std::string> names() const override { return {}; }
  };
  auto source = std::make_shared<const Source>(Source{std::move(file), std::string(text)});
  ASSIGN(auto tokens, lex(*source));
  ASSIGN(auto node, Parser(source, std::move(tokens)).lone_expression());
  std::vector<ScopeColumn> columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    columns.push_back(
        {{}, schema->field(i)->name(), make_column(i, schema->field(i)->type()), false});
  }
  const Empty catalog;
  ASSIGN(auto bound, Binder(catalog, source).expression(*node, Scope{&columns, {}}));
  return fold_constants(bound);
}

}  // namespace tailrace::sql
