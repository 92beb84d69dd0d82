// Common subexpressions: a costly call that a projection and the filters below it make more than
// once.
#include <algorithm>
#include <array>

#include "sql/bind/make.h"
#include "sql/optimise/optimise.h"

namespace tailrace::sql {
namespace {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;

bool is_costly(const Expr& expr) {
  static constexpr std::array<std::string_view, 8> kCostly = {
      "from_json", "regexp_extract", "regexp_replace",  "split",
      "from_csv",  "to_timestamp",   "get_json_object", "sha2"};
  return expr.kind == Expr::Kind::kCall &&
         std::find(kCostly.begin(), kCostly.end(), expr.name) != kCostly.end() &&
         is_deterministic(expr);
}

struct Shared {
  ExprPtr call;
  int uses = 0;
  bool in_filter = false;
};

void count(const ExprPtr& expr, bool in_filter, std::vector<Shared>& found) {
  if (is_costly(*expr) && !is_constant(*expr)) {
    auto at = std::find_if(found.begin(), found.end(),
                           [&](const auto& s) { return same_expr(*s.call, *expr); });
    if (at == found.end()) at = found.insert(found.end(), Shared{expr, 0, false});
    ++at->uses;
    at->in_filter |= in_filter;
    return;
  }
  for (const auto& arg : expr->args) count(arg, in_filter, found);
}

ExprPtr replaced(const ExprPtr& expr, const std::vector<Shared>& shared, int first) {
  return rewrite(expr, [&](const ExprPtr& node) -> ExprPtr {
    for (std::size_t i = 0; i < shared.size(); ++i) {
      if (same_expr(*shared[i].call, *node))
        return make_column(first + static_cast<int>(i), node->type);
    }
    return nullptr;
  });
}

PlanPtr with_calls(const PlanPtr& input, const std::vector<Shared>& shared) {
  auto exprs = all_columns(*input->schema);
  auto names = input->schema->field_names();
  for (const auto& s : shared) {
    exprs.push_back(s.call);
    names.push_back(s.call->name);
  }
  return make_project(input, std::move(exprs), std::move(names));
}

PlanPtr shared_below(const PlanPtr& project) {
  const PlanPtr input = project->inputs[0];
  const bool filter = input->kind == Plan::Kind::kFilter;
  std::vector<Shared> found;
  for (const auto& expr : project->exprs) count(expr, false, found);
  if (filter) count(input->exprs[0], true, found);
  std::erase_if(found, [](const auto& s) { return s.uses < 2; });
  if (found.empty()) return project;
  const bool below_filter =
      std::any_of(found.begin(), found.end(), [](const auto& s) { return s.in_filter; });
  const int first = input->schema->num_fields();
  PlanPtr below;
  if (filter && below_filter) {
    below = with_calls(input->inputs[0], found);
    below = make_filter(below, replaced(input->exprs[0], found, first));
  } else {
    below = with_calls(input, found);
  }
  auto made = std::make_shared<Plan>(*project);
  for (auto& expr : made->exprs) expr = replaced(expr, found, first);
  made->inputs = {std::move(below)};
  return made;
}

}  // namespace

PlanPtr share_calls(const PlanPtr& plan) {
  PlanPtr made = plan->kind == Plan::Kind::kProject ? shared_below(plan) : plan;
  std::vector<PlanPtr> inputs;
  for (const auto& input : made->inputs) inputs.push_back(share_calls(input));
  return with_inputs(*made, std::move(inputs));
}

}  // namespace tailrace::sql
