// Tasks that do nothing: EmptyOperator, SmoothOperator.
#include "tasks/operators.h"

namespace tailrace::tasks {
namespace {

class Empty final : public Operator {
 public:
  Outcome run(Context&) const override { return Outcome::success(); }
};

}  // namespace

void add_empty(OperatorTable& table) {
  table["airflow.providers.standard.operators.empty.EmptyOperator"] = std::make_unique<Empty>();
  table["airflow.providers.standard.operators.smooth.SmoothOperator"] = std::make_unique<Empty>();
}

}  // namespace tailrace::tasks
