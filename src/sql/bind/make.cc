// Constructors and small rewrites of bound expressions.
#include "sql/bind/make.h"

#include <algorithm>
#include <array>

namespace tailrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;

ExprPtr make_column(int index, Type type) {
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kColumn;
  made->type = std::move(type);
  made->column = index;
  return made;
}

ExprPtr make_literal(std::shared_ptr<arrow::Scalar> value) {
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kLiteral;
  made->type = value->type;
  made->literal = std::move(value);
  return made;
}

ExprPtr make_field(ExprPtr base, int field) {
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kField;
  made->type = base->type->field(field)->type();
  made->column = field;
  made->name = base->type->field(field)->name();
  made->args = {std::move(base)};
  return made;
}

ExprPtr make_cast(ExprPtr value, Type type, bool try_cast, std::string place) {
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kCast;
  made->type = std::move(type);
  made->try_cast = try_cast;
  made->place = std::move(place);
  made->args = {std::move(value)};
  return made;
}

ExprPtr as_type(ExprPtr value, const Type& type, const std::string& place) {
  if (value->type->Equals(*type)) return value;
  if (value->kind == Expr::Kind::kLiteral && value->type->id() == arrow::Type::NA) {
    return make_literal(arrow::MakeNullScalar(type));
  }
  return make_cast(std::move(value), type, false, place);
}

Result<ExprPtr> make_call(const std::string& name, std::vector<ExprPtr> args,
                          const std::string& place) {
  std::vector<Type> types;
  std::vector<std::shared_ptr<arrow::Scalar>> constants;
  for (const auto& arg : args) {
    types.push_back(arg->type);
    constants.push_back(arg->kind == Expr::Kind::kLiteral ? arg->literal : nullptr);
  }
  auto bound = engine::bind_function(name, types, constants);
  if (!bound) return std::unexpected(bound.error().in(place));
  for (std::size_t i = 0; i < args.size() && i < bound->args.size(); ++i)
    args[i] = as_type(args[i], bound->args[i], place);
  auto made = std::make_shared<Expr>();
  made->kind = Expr::Kind::kCall;
  made->type = bound->result;
  made->name = name;
  made->args = std::move(args);
  made->place = place;
  return made;
}

bool same_expr(const Expr& a, const Expr& b) {
  if (&a == &b) return true;
  if (a.kind != b.kind || a.column != b.column || a.try_cast != b.try_cast ||
      a.args.size() != b.args.size())
    return false;
  if (!a.type->Equals(*b.type)) return false;
  if (a.kind == Expr::Kind::kCall && a.name != b.name) return false;
  if (a.kind == Expr::Kind::kLiteral && !a.literal->Equals(*b.literal)) return false;
  return std::equal(a.args.begin(), a.args.end(), b.args.begin(),
                    [](const auto& x, const auto& y) { return same_expr(*x, *y); });
}

ExprPtr rewrite(const ExprPtr& expr, const std::function<ExprPtr(const ExprPtr&)>& change) {
  if (auto made = change(expr)) return made;
  std::vector<ExprPtr> args;
  bool changed = false;
  for (const auto& arg : expr->args) {
    args.push_back(rewrite(arg, change));
    changed |= args.back() != arg;
  }
  if (!changed) return expr;
  auto made = std::make_shared<Expr>(*expr);
  made->args = std::move(args);
  return made;
}

void visit(const ExprPtr& expr, const std::function<void(const Expr&)>& see) {
  if (!expr) return;
  see(*expr);
  for (const auto& arg : expr->args) visit(arg, see);
}

ExprPtr substitute(const ExprPtr& expr, const std::vector<ExprPtr>& columns) {
  if (!expr) return expr;
  return rewrite(expr, [&](const ExprPtr& node) -> ExprPtr {
    return node->kind == Expr::Kind::kColumn ? columns[static_cast<std::size_t>(node->column)]
                                             : nullptr;
  });
}

ExprPtr shift_columns(const ExprPtr& expr, int by) {
  if (!expr) return expr;
  return rewrite(expr, [&](const ExprPtr& node) -> ExprPtr {
    return node->kind == Expr::Kind::kColumn ? make_column(node->column + by, node->type) : nullptr;
  });
}

bool is_deterministic(const Expr& expr) {
  static constexpr std::array<std::string_view, 8> kVolatile = {
      "current_timestamp", "now", "current_date", "curdate", "rand", "random", "uuid",
      "unix_timestamp"};
  if (expr.kind == Expr::Kind::kCall &&
      std::find(kVolatile.begin(), kVolatile.end(), expr.name) != kVolatile.end())
    return false;
  return std::all_of(expr.args.begin(), expr.args.end(),
                     [](const auto& arg) { return is_deterministic(*arg); });
}

bool is_constant(const Expr& expr) {
  if (expr.kind == Expr::Kind::kColumn || !is_deterministic(expr)) return false;
  if (expr.kind == Expr::Kind::kCall && expr.name.starts_with('\x01')) return false;
  return std::all_of(expr.args.begin(), expr.args.end(),
                     [](const auto& arg) { return is_constant(*arg); });
}

std::vector<ExprPtr> conjuncts(const ExprPtr& condition) {
  if (!condition) return {};
  if (condition->kind != Expr::Kind::kCall || condition->name != "and") return {condition};
  std::vector<ExprPtr> terms;
  for (const auto& arg : condition->args) {
    for (auto& term : conjuncts(arg)) terms.push_back(std::move(term));
  }
  return terms;
}

ExprPtr conjunction(const std::vector<ExprPtr>& terms) {
  ExprPtr whole;
  for (const auto& term : terms) {
    if (!whole) {
      whole = term;
      continue;
    }
    auto both = std::make_shared<Expr>();
    both->kind = Expr::Kind::kCall;
    both->type = arrow::boolean();
    both->name = "and";
    both->args = {whole, term};
    both->place = term->place;
    whole = both;
  }
  return whole;
}

PlanPtr make_project(PlanPtr input, std::vector<ExprPtr> exprs, std::vector<std::string> names) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kProject;
  arrow::FieldVector fields;
  for (std::size_t i = 0; i < exprs.size(); ++i)
    fields.push_back(arrow::field(names[i], exprs[i]->type));
  made->schema = arrow::schema(std::move(fields));
  made->exprs = std::move(exprs);
  made->inputs = {std::move(input)};
  return made;
}

PlanPtr make_filter(PlanPtr input, ExprPtr condition) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kFilter;
  made->schema = input->schema;
  made->exprs = {std::move(condition)};
  made->inputs = {std::move(input)};
  return made;
}

std::vector<ExprPtr> all_columns(const arrow::Schema& schema) {
  std::vector<ExprPtr> made;
  for (int i = 0; i < schema.num_fields(); ++i)
    made.push_back(make_column(i, schema.field(i)->type()));
  return made;
}

}  // namespace tailrace::sql
