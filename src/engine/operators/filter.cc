// Selection is linear: Δ(σ(A)) = σ(ΔA). A null condition is not true.
#include "engine/evaluation.h"
#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

class Filter final : public Operator {
 public:
  explicit Filter(const Plan& plan) : exprs_(plan.exprs) {}

  Result<Delta> step(std::span<const Delta> inputs, StepContext& context) override {
    if (inputs[0].empty()) return Delta{};
    ASSIGN(Evaluated out, evaluate_all(exprs_, inputs[0], context));
    const std::vector<std::int64_t> kept = true_rows(out.values[0]);
    if (static_cast<std::int64_t>(kept.size()) == out.input.size()) return out.input;
    if (kept.empty()) return Delta{};
    return take(out.input, kept);
  }

 private:
  std::vector<ExprPtr> exprs_;
};

}  // namespace

OperatorPtr make_filter(const Plan& plan) {
  return std::make_unique<Filter>(plan);
}

}  // namespace tailrace::engine
