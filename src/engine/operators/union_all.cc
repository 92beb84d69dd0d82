// Union of bags is linear: Δ(A ⊎ B) = ΔA ⊎ ΔB.
#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

class UnionAll final : public Operator {
 public:
  explicit UnionAll(const Plan& plan) : schema_(plan.schema) {}

  Result<Delta> step(std::span<const Delta> inputs, StepContext&) override {
    return concat(inputs, schema_);
  }

 private:
  Schema schema_;
};

}  // namespace

OperatorPtr make_union_all(const Plan& plan) {
  return std::make_unique<UnionAll>(plan);
}

}  // namespace tailrace::engine
