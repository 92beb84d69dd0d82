// Projection is linear: Δ(π(A)) = π(ΔA).
#include "engine/evaluation.h"
#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

class Project final : public Operator {
 public:
  explicit Project(const Plan& plan) : schema_(plan.schema), exprs_(plan.exprs) {}

  Result<Delta> step(std::span<const Delta> inputs, StepContext& context) override {
    if (inputs[0].empty()) return Delta{};
    ASSIGN(Evaluated out, evaluate_all(exprs_, inputs[0], context));
    const std::int64_t rows = out.input.size();
    return Delta{batch_of(schema_, std::move(out.values), rows), std::move(out.input.weights)};
  }

 private:
  Schema schema_;
  std::vector<ExprPtr> exprs_;
};

}  // namespace

OperatorPtr make_project(const Plan& plan) {
  return std::make_unique<Project>(plan);
}

}  // namespace tailrace::engine
