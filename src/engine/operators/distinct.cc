// Each row once: with n = A(row), Δ(distinct A)(row) = [n + Δn > 0] − [n > 0]. State: n by row.
#include "engine/counts.h"
#include "engine/grouping.h"
#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

class Distinct final : public Operator {
 public:
  Distinct(const Plan& plan, TraceHomes& homes) : schema_(plan.schema), counts_(homes.next()) {}

  Result<Delta> step(std::span<const Delta> inputs, StepContext&) override {
    if (inputs[0].empty()) return Delta{};
    std::vector<Array> columns;
    std::vector<KeyColumn> key;
    for (int i = 0; i < schema_->num_fields(); ++i) {
      columns.push_back(normalise_reals(inputs[0].rows->column(i)));
      key.push_back({i});
    }
    const Delta input{batch_of(schema_, std::move(columns), inputs[0].size()), inputs[0].weights};
    ASSIGN(const EncodedRows keys, encode_keys(*input.rows, key));
    groups_.assign(keys);
    ASSIGN(const std::vector<Weight> changes, counts_.add(groups_, input));
    std::vector<std::int64_t> rows;
    std::vector<Weight> weights;
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      if (changes[group] == 0) continue;
      rows.push_back(groups_.first_rows()[group]);
      weights.push_back(changes[group]);
    }
    if (rows.empty()) return Delta{};
    ASSIGN(Batch out, take(input.rows, rows));
    return Delta{std::move(out), std::move(weights)};
  }
  std::vector<Trace*> traces() override { return {&counts_.trace()}; }

 private:
  Schema schema_;
  Counts counts_;
  Grouping groups_;
};

}  // namespace

OperatorPtr make_distinct(const Plan& plan, TraceHomes& homes) {
  return std::make_unique<Distinct>(plan, homes);
}

}  // namespace tailrace::engine
