// Making bound expressions and plan nodes, each with its type or schema.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/plan.h"

namespace tailrace::sql {

engine::ExprPtr make_column(int index, Type type);
engine::ExprPtr make_literal(std::shared_ptr<arrow::Scalar> value);
engine::ExprPtr make_field(engine::ExprPtr base, int field);
engine::ExprPtr make_cast(engine::ExprPtr value, Type type, bool try_cast = false,
                          std::string place = {});
/// The value as `type`: itself when it is that already.
engine::ExprPtr as_type(engine::ExprPtr value, const Type& type, const std::string& place = {});
/// Asks the engine's catalogue and casts the arguments as told; the error has the place before it.
Result<engine::ExprPtr> make_call(const std::string& name, std::vector<engine::ExprPtr> args,
                                  const std::string& place);

bool same_expr(const engine::Expr& a, const engine::Expr& b);
/// A new tree with `change` applied from the top: null keeps the node and goes on below it.
engine::ExprPtr rewrite(const engine::ExprPtr& expr,
                        const std::function<engine::ExprPtr(const engine::ExprPtr&)>& change);
void visit(const engine::ExprPtr& expr, const std::function<void(const engine::Expr&)>& see);
/// Column i becomes `columns[i]`.
engine::ExprPtr substitute(const engine::ExprPtr& expr,
                           const std::vector<engine::ExprPtr>& columns);
engine::ExprPtr shift_columns(const engine::ExprPtr& expr, int by);
bool is_constant(const engine::Expr& expr);  ///< no column, nothing that depends on time or chance
bool is_deterministic(const engine::Expr& expr);
std::vector<engine::ExprPtr> conjuncts(const engine::ExprPtr& condition);
engine::ExprPtr conjunction(const std::vector<engine::ExprPtr>& terms);  ///< null for none

engine::PlanPtr make_project(engine::PlanPtr input, std::vector<engine::ExprPtr> exprs,
                             std::vector<std::string> names);
engine::PlanPtr make_filter(engine::PlanPtr input, engine::ExprPtr condition);
std::vector<engine::ExprPtr> all_columns(const arrow::Schema& schema);

}  // namespace tailrace::sql
