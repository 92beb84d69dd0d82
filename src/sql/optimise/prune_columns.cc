// Column pruning, and with it the pruning of from_json: what is needed of each column is the whole
// or some fields of its struct; a from_json of which only fields are needed gets a type of those
// fields only.
#include <algorithm>
#include <map>
#include <set>

#include "sql/bind/make.h"
#include "sql/optimise/optimise.h"

namespace tailrace::sql {
namespace {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;

struct Need {
  bool whole = false;
  std::map<std::string, Need> fields;

  bool any() const { return whole || !fields.empty(); }
  void add(const Need& other) {
    whole |= other.whole;
    for (const auto& [name, need] : other.fields) fields[name].add(need);
  }
};
using Needs = std::vector<Need>;
const Need kWhole{true, {}};

bool names_are_unique(const arrow::DataType& type) {
  std::set<std::string> names;
  for (int i = 0; i < type.num_fields(); ++i) names.insert(type.field(i)->name());
  return static_cast<int>(names.size()) == type.num_fields();
}

Type pruned_type(const Type& type, const Need& need) {
  if (need.whole || type->id() != arrow::Type::STRUCT || !names_are_unique(*type)) return type;
  arrow::FieldVector fields;
  for (const auto& field : type->fields()) {
    const auto at = need.fields.find(field->name());
    if (at != need.fields.end() && at->second.any())
      fields.push_back(field->WithType(pruned_type(field->type(), at->second)));
  }
  return fields.empty() ? type : arrow::struct_(std::move(fields));
}

void collect(const ExprPtr& expr, const Need& need, Needs& needs) {
  if (!expr) return;
  if (expr->kind == Expr::Kind::kColumn) {
    needs[static_cast<std::size_t>(expr->column)].add(need);
  } else if (expr->kind == Expr::Kind::kField && names_are_unique(*expr->args[0]->type)) {
    Need base;
    base.fields[expr->name] = need;
    collect(expr->args[0], base, needs);
  } else {
    for (const auto& arg : expr->args) collect(arg, kWhole, needs);
  }
}

// A pruned subtree: its plan, and where each old column is now (-1: gone).
struct Pruned {
  PlanPtr plan;
  std::vector<int> moved;
};

// The expression over the pruned input: columns renumbered, fields found again by name in smaller
// structs.
ExprPtr moved_expr(const ExprPtr& expr, const Need& need, const Pruned& input) {
  if (!expr) return expr;
  if (expr->kind == Expr::Kind::kColumn) {
    const int column = input.moved[static_cast<std::size_t>(expr->column)];
    return make_column(column, input.plan->schema->field(column)->type());
  }
  if (expr->kind == Expr::Kind::kField) {
    Need base_need = kWhole;
    if (names_are_unique(*expr->args[0]->type)) {
      base_need = Need{};
      base_need.fields[expr->name] = need;
    }
    auto base = moved_expr(expr->args[0], base_need, input);
    if (base->type->Equals(*expr->args[0]->type)) return make_field(std::move(base), expr->column);
    return make_field(base,
                      static_cast<const arrow::StructType&>(*base->type).GetFieldIndex(expr->name));
  }
  auto made = std::make_shared<Expr>(*expr);
  for (auto& arg : made->args) arg = moved_expr(arg, kWhole, input);
  if (expr->kind == Expr::Kind::kCall && expr->name == "from_json")
    made->type = pruned_type(expr->type, need);
  return made;
}

Pruned prune(const PlanPtr& plan, Needs needs, bool under_project);

std::vector<int> identity(int count) {
  std::vector<int> moved(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) moved[static_cast<std::size_t>(i)] = i;
  return moved;
}

Pruned prune_source(const PlanPtr& plan, const Needs& needs, bool under_project) {
  const int count = plan->schema->num_fields();
  const auto needed =
      std::count_if(needs.begin(), needs.end(), [](const Need& need) { return need.any(); });
  if (under_project || needed == count) return {plan, identity(count)};
  Pruned made;
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    const bool keep = needs[static_cast<std::size_t>(i)].any() || (needed == 0 && i == 0);
    made.moved.push_back(keep ? static_cast<int>(exprs.size()) : -1);
    if (!keep) continue;
    exprs.push_back(make_column(i, plan->schema->field(i)->type()));
    names.push_back(plan->schema->field(i)->name());
  }
  made.plan = make_project(plan, std::move(exprs), std::move(names));
  return made;
}

Pruned prune_project(const PlanPtr& plan, Needs needs) {
  if (std::none_of(needs.begin(), needs.end(), [](const Need& need) { return need.any(); }))
    needs[0] = kWhole;
  Needs below(static_cast<std::size_t>(plan->inputs[0]->schema->num_fields()));
  for (std::size_t i = 0; i < needs.size(); ++i) {
    if (needs[i].any()) collect(plan->exprs[i], needs[i], below);
  }
  const Pruned input = prune(plan->inputs[0], std::move(below), true);
  Pruned made;
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    made.moved.push_back(needs[i].any() ? static_cast<int>(exprs.size()) : -1);
    if (!needs[i].any()) continue;
    exprs.push_back(moved_expr(plan->exprs[i], needs[i], input));
    names.push_back(plan->schema->field(static_cast<int>(i))->name());
  }
  made.plan = make_project(input.plan, std::move(exprs), std::move(names));
  return made;
}

Pruned prune_filter(const PlanPtr& plan, Needs needs) {
  collect(plan->exprs[0], kWhole, needs);
  Pruned input = prune(plan->inputs[0], std::move(needs), false);
  auto condition = moved_expr(plan->exprs[0], kWhole, input);
  return {make_filter(input.plan, std::move(condition)), input.moved};
}

Pruned prune_aggregate(const PlanPtr& plan, const Needs& needs) {
  Needs below(static_cast<std::size_t>(plan->inputs[0]->schema->num_fields()));
  const std::size_t groups = plan->exprs.size();
  auto made = std::make_shared<Plan>(*plan);
  made->aggregates.clear();
  arrow::FieldVector fields(plan->schema->fields().begin(),
                            plan->schema->fields().begin() + static_cast<std::ptrdiff_t>(groups));
  std::vector<int> moved = identity(static_cast<int>(groups));
  for (std::size_t i = 0; i < plan->aggregates.size(); ++i) {
    const bool keep = needs[groups + i].any();
    moved.push_back(keep ? static_cast<int>(fields.size()) : -1);
    if (!keep) continue;
    fields.push_back(plan->schema->field(static_cast<int>(groups + i)));
    made->aggregates.push_back(plan->aggregates[i]);
  }
  if (fields.empty() && !plan->aggregates.empty()) {
    fields.push_back(plan->schema->field(0));
    made->aggregates.push_back(plan->aggregates[0]);
    moved[0] = 0;
  }
  for (const auto& expr : plan->exprs) collect(expr, kWhole, below);
  for (const auto& call : made->aggregates) {
    collect(call.arg, kWhole, below);
    collect(call.filter, kWhole, below);
  }
  const Pruned input = prune(plan->inputs[0], std::move(below), false);
  for (auto& expr : made->exprs) expr = moved_expr(expr, kWhole, input);
  for (auto& call : made->aggregates) {
    call.arg = moved_expr(call.arg, kWhole, input);
    call.filter = moved_expr(call.filter, kWhole, input);
  }
  made->schema = arrow::schema(std::move(fields));
  made->inputs = {input.plan};
  return {made, std::move(moved)};
}

Pruned prune_join(const PlanPtr& plan, Needs needs) {
  const auto width = static_cast<std::size_t>(plan->inputs[0]->schema->num_fields());
  collect(plan->residual, kWhole, needs);
  Needs left(needs.begin(), needs.begin() + static_cast<std::ptrdiff_t>(width));
  Needs right(needs.begin() + static_cast<std::ptrdiff_t>(width), needs.end());
  for (const auto& key : plan->left_keys) collect(key, kWhole, left);
  for (const auto& key : plan->right_keys) collect(key, kWhole, right);
  const Pruned l = prune(plan->inputs[0], std::move(left), false);
  const Pruned r = prune(plan->inputs[1], std::move(right), false);
  auto made = std::make_shared<Plan>(*plan);
  made->inputs = {l.plan, r.plan};
  for (auto& key : made->left_keys) key = moved_expr(key, kWhole, l);
  for (auto& key : made->right_keys) key = moved_expr(key, kWhole, r);
  auto fields = l.plan->schema->fields();
  for (const auto& field : r.plan->schema->fields()) {
    fields.push_back(plan->join == Plan::JoinType::kLeft ? field->WithNullable(true) : field);
  }
  made->schema = arrow::schema(std::move(fields));
  Pruned result{made, l.moved};
  for (const int column : r.moved)
    result.moved.push_back(column < 0 ? -1 : column + l.plan->schema->num_fields());
  made->residual = moved_expr(plan->residual, kWhole, result);
  return result;
}

// Exactly the needed columns in their old order, so that branches of a union agree.
PlanPtr exactly(const Pruned& input, const Needs& needs, const arrow::Schema& old) {
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  bool same = true;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    if (!needs[i].any()) continue;
    const int column = input.moved[i];
    same &= column == static_cast<int>(exprs.size());
    exprs.push_back(make_column(column, input.plan->schema->field(column)->type()));
    names.push_back(old.field(static_cast<int>(i))->name());
  }
  if (same && static_cast<int>(exprs.size()) == input.plan->schema->num_fields()) return input.plan;
  return make_project(input.plan, std::move(exprs), std::move(names));
}

Pruned prune_union(const PlanPtr& plan, Needs needs) {
  for (auto& need : needs) need.whole = need.any();
  if (std::none_of(needs.begin(), needs.end(), [](const Need& need) { return need.any(); }))
    needs[0] = kWhole;
  Pruned made;
  auto node = std::make_shared<Plan>(*plan);
  node->inputs.clear();
  for (const auto& input : plan->inputs)
    node->inputs.push_back(exactly(prune(input, needs, false), needs, *input->schema));
  arrow::FieldVector fields;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    made.moved.push_back(needs[i].any() ? static_cast<int>(fields.size()) : -1);
    if (needs[i].any()) fields.push_back(plan->schema->field(static_cast<int>(i)));
  }
  node->schema = arrow::schema(std::move(fields));
  made.plan = node;
  return made;
}

// Nodes that pass their input's columns on and may add some at the end.
Pruned prune_passing(const PlanPtr& plan, const Needs& needs) {
  const auto width = static_cast<std::size_t>(plan->inputs[0]->schema->num_fields());
  Needs below(needs.begin(), needs.begin() + static_cast<std::ptrdiff_t>(width));
  if (plan->kind == Plan::Kind::kWatermark) below[static_cast<std::size_t>(plan->column)] = kWhole;
  if (plan->kind == Plan::Kind::kDistinct) std::fill(below.begin(), below.end(), kWhole);
  for (const auto& expr : plan->exprs) collect(expr, kWhole, below);
  for (const auto& expr : plan->partition) collect(expr, kWhole, below);
  for (const auto& order : plan->order) collect(order.expr, kWhole, below);
  const Pruned input = prune(plan->inputs[0], std::move(below), false);
  auto made = std::make_shared<Plan>(*plan);
  made->inputs = {input.plan};
  for (auto& expr : made->exprs) expr = moved_expr(expr, kWhole, input);
  for (auto& expr : made->partition) expr = moved_expr(expr, kWhole, input);
  for (auto& order : made->order) order.expr = moved_expr(order.expr, kWhole, input);
  if (plan->kind == Plan::Kind::kWatermark)
    made->column = input.moved[static_cast<std::size_t>(plan->column)];
  auto fields = input.plan->schema->fields();
  Pruned result{made, input.moved};
  if (plan->with_rank && !needs.back().any()) made->with_rank = false;
  for (std::size_t i = width; i < needs.size(); ++i) {
    const bool keep = plan->kind != Plan::Kind::kTopN || made->with_rank;
    result.moved.push_back(keep ? static_cast<int>(fields.size()) : -1);
    if (keep) fields.push_back(plan->schema->field(static_cast<int>(i)));
  }
  made->schema = arrow::schema(std::move(fields));
  return result;
}

Pruned prune(const PlanPtr& plan, Needs needs, bool under_project) {
  switch (plan->kind) {
    case Plan::Kind::kSource:
      return prune_source(plan, needs, under_project);
    case Plan::Kind::kProject:
      return prune_project(plan, std::move(needs));
    case Plan::Kind::kFilter:
      return prune_filter(plan, std::move(needs));
    case Plan::Kind::kAggregate:
      return prune_aggregate(plan, needs);
    case Plan::Kind::kJoin:
      return prune_join(plan, std::move(needs));
    case Plan::Kind::kUnionAll:
      return prune_union(plan, std::move(needs));
    case Plan::Kind::kDistinct:
    case Plan::Kind::kTopN:
    case Plan::Kind::kExplode:
    case Plan::Kind::kWatermark:
      return prune_passing(plan, needs);
  }
  return {plan, identity(plan->schema->num_fields())};
}

}  // namespace

PlanPtr prune_columns(const PlanPtr& plan) {
  const Needs all(static_cast<std::size_t>(plan->schema->num_fields()), kWhole);
  return exactly(prune(plan, all, false), all, *plan->schema);
}

}  // namespace tailrace::sql
