// From syntax tree to plan. One class; its members are in files by clause: bind_relation.cc
// (tables, views, watermarks), bind_join.cc, bind_generator.cc (explode), bind_expression.cc,
// bind_aggregate.cc, bind_select.cc, bind_query.cc.
//
// A SELECT with aggregates is bound in one go over its FROM: an aggregate or window call becomes a
// placeholder (a call with a name no SQL can write); when all clauses are bound, subtrees equal to
// a GROUP BY expression and placeholders become columns of the aggregation, and a column that is
// left is Spark's MISSING_AGGREGATION.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sql/bind/scope.h"
#include "sql/sql.h"

namespace tailrace::sql {

inline constexpr std::string_view kAggregateMark =
    "\x01"
    "aggregate";
inline constexpr std::string_view kWindowMark =
    "\x01"
    "window";

/// Whether rows of the plan come from a STREAM, and whether a column of it carries a watermark.
bool is_streaming(const engine::Plan& plan);
bool is_event_time(const engine::Plan& plan, int column);
bool is_event_time(const engine::Plan& input, const engine::Expr& expr);

struct WindowCall {
  std::vector<engine::ExprPtr> partition;
  std::vector<engine::Plan::Order> order;
};

/// Aggregate and window calls met while binding a SELECT's clauses.
struct Calls {
  std::vector<engine::AggregateCall> aggregates;
  std::vector<WindowCall> windows;
};

/// A query's rows with what its ORDER BY asks: columns after `visible` only carry the order.
struct Ordered {
  Bound bound;
  std::vector<engine::Plan::Order> order;
  std::size_t visible = 0;
};

class Binder {
 public:
  Binder(const Catalog& catalog, SourcePtr source)
      : catalog_(catalog), source_(std::move(source)) {}

  Result<Bound> query(const Query& query);
  Result<Ordered> ordered_query(const Query& query);
  Result<engine::ExprPtr> expression(const Expression& node, const Scope& scope,
                                     Calls* calls = nullptr);
  Result<engine::ExprPtr> condition(const Expression& node, const Scope& scope, Calls* calls,
                                    std::string_view clause);
  std::vector<std::string> inputs() && { return std::move(inputs_); }

 private:
  using Exprs = std::vector<engine::ExprPtr>;

  std::string place(const Span& span) const { return source_->place(span.begin); }
  std::unexpected<Error> fail(const Span& span, const std::string& what) const {
    return error(Code::kInvalidArgument, place(span) + ": " + what);
  }
  std::unexpected<Error> unsupported(const Span& span, std::string_view what) const {
    return error(Code::kUnimplemented,
                 "not supported yet: " + std::string(what) + " at " + place(span));
  }

  // bind_query.cc
  Result<Ordered> union_all(const Query& query);
  Result<engine::PlanPtr> coerce(const Bound& branch, const arrow::Schema& wanted);
  Result<engine::PlanPtr> distinct(engine::PlanPtr input, const Span& span);
  Result<Ordered> limited(Ordered ordered, const Query& query);

  // bind_relation.cc
  Result<Bound> relation(const Relation& relation);
  Result<Bound> table(const Relation& relation);
  Result<Bound> source(const RelationInfo& info, const Relation& relation);
  Result<Bound> view(const RelationInfo& info, const Relation& relation);
  Result<Bound> watermarked(Bound input, const WatermarkClause& clause);
  Status rename(Bound& bound, const Relation& relation);
  Bound one_row();
  int input_number(const std::string& name);

  // bind_join.cc
  Result<Bound> join(const Relation& relation);
  Status join_on(const Relation& relation, engine::Plan& plan, const Bound& left,
                 const Bound& right, const std::vector<ScopeColumn>& columns);
  Status join_using(const Relation& relation, engine::Plan& plan, const Bound& left,
                    const Bound& right, std::vector<ScopeColumn>& columns);

  // bind_generator.cc
  Result<Bound> lateral_view(Bound input, const LateralView& view);
  struct Generated {
    engine::PlanPtr plan;
    Exprs columns;                   ///< what the generator adds, over `plan`
    std::vector<std::string> names;  ///< Spark's names of them
  };
  Result<Generated> generate(engine::PlanPtr input, const Scope& scope, const Expression& call,
                             bool outer);

  // bind_expression.cc
  Result<engine::ExprPtr> name(const Expression& node, const Scope& scope);
  Result<engine::ExprPtr> field(engine::ExprPtr base, const std::string& name, const Span& span);
  Result<engine::ExprPtr> case_when(const Expression& node, const Scope& scope, Calls* calls);
  Result<engine::ExprPtr> call(const Expression& node, const Scope& scope, Calls* calls);
  Result<engine::ExprPtr> interval_call(const Expression& node, const Scope& scope, Calls* calls);
  Result<engine::ExprPtr> cast(const Expression& node, const Scope& scope, Calls* calls);
  Result<Exprs> arguments(const Expression& node, const Scope& scope, Calls* calls);
  Result<engine::ExprPtr> decode(const Expression& node, const Scope& scope, Calls* calls);

  // bind_lambda.cc
  Result<engine::ExprPtr> lambda_call(const Expression& node, const Scope& scope, Calls* calls);
  Result<engine::ExprPtr> lambda(const Expression& node, const std::vector<Type>& types,
                                 const Scope& scope, Calls* calls);

  // bind_aggregate.cc
  Result<engine::ExprPtr> aggregate(const Expression& node, const Scope& scope, Calls* calls);
  Result<engine::ExprPtr> window_call(const Expression& node, const Scope& scope, Calls* calls);
  Result<engine::PlanPtr> aggregate_plan(engine::PlanPtr input, const Exprs& groups,
                                         const Calls& calls, const Span& span);
  Result<engine::ExprPtr> over_groups(const engine::ExprPtr& expr, const Exprs& groups,
                                      const Span& span, const arrow::Schema& input);

  // bind_select.cc
  struct Item {
    engine::ExprPtr expr;
    std::string name;
    Span span;
  };
  struct Selecting;
  Result<Ordered> select(const Select& select, const Query& query);
  Status bind_groups(Selecting& state);
  Result<engine::ExprPtr> group_expr(const Expression& node, Selecting& state);
  Status bind_items(Selecting& state);
  Status bind_star(const Expression& star, Selecting& state);
  Status bind_order(Selecting& state);
  Status open_windows(Selecting& state);
  Status apply_aggregation(Selecting& state);
  Status apply_windows(Selecting& state);
  Result<Ordered> project(Selecting& state);

  struct NamedQuery {
    const Cte* cte;
    SourcePtr source;
    std::size_t outer;  ///< how many earlier ones it sees
  };
  const Catalog& catalog_;
  SourcePtr source_;
  std::vector<std::string> inputs_;
  std::vector<NamedQuery> ctes_;
  std::vector<const Statement*> views_;  ///< being bound, against cycles
  int depth_ = 0;
  int variables_ = 0;  ///< lambda variables so far
};

/// The functions whose arguments hold lambdas.
bool is_lambda_function(const std::string& name);
bool is_aggregate_name(const std::string& name);
bool is_generator_name(const std::string& name);

/// Spark's name of an unaliased select item: `count(1)`, `(a + 1)`.
std::string output_name(const Expression& node, const Scope& scope);

}  // namespace tailrace::sql
