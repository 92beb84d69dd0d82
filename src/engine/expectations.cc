// One evaluation of each condition a step.
#include "engine/expectations.h"

#include <fmt/format.h>

#include "engine/evaluation.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

std::string described(const Expectation& expectation) {
  return fmt::format("expectation {} ({})", expectation.name, expectation.text);
}

/// By row, whether the condition is true.
Result<std::vector<bool>> kept_rows(const Expectation& expectation, const Batch& rows,
                                    std::int64_t now_us) {
  EvalContext evaluation;
  evaluation.now_us = now_us;
  ASSIGN(const Array condition, evaluate(*expectation.condition, *rows, evaluation));
  std::vector<bool> kept(rows->num_rows(), false);
  for (const std::int64_t row : true_rows(condition)) kept[row] = true;
  for (const RowError& failed : evaluation.errors) kept[failed.row] = false;
  return kept;
}

}  // namespace

Status hold_to(const std::vector<Expectation>& expectations, std::int64_t now_us,
               StepOutput& output) {
  output.expectations.assign(expectations.size(), {});
  const Delta& delta = output.delta;
  if (expectations.empty() || delta.empty()) return {};
  std::vector<std::string> reasons(delta.size()), names(delta.size());
  std::optional<std::int64_t> stopping;
  for (std::size_t i = 0; i < expectations.size(); ++i) {
    const Expectation& expectation = expectations[i];
    ASSIGN(const std::vector<bool> kept, kept_rows(expectation, delta.rows, now_us));
    for (std::int64_t row = 0; row < delta.size(); ++row) {
      const Weight added = std::max<Weight>(delta.weight(row), 0);
      (kept[row] ? output.expectations[i].passed : output.expectations[i].failed) += added;
      if (kept[row]) continue;
      const bool stops = expectation.action == Expectation::Action::kFail && added > 0;
      if (!stops && expectation.action != Expectation::Action::kDrop) continue;
      if (stops) stopping = std::min(stopping.value_or(row), row);
      reasons[row] += (reasons[row].empty() ? "" : "; ") + described(expectation);
      names[row] += (names[row].empty() ? "" : ", ") + expectation.name;
    }
  }
  std::vector<std::int64_t> left;
  for (std::int64_t row = 0; row < delta.size(); ++row) {
    if (reasons[row].empty()) {
      left.push_back(row);
    } else if (delta.weight(row) > 0) {
      if (row == stopping) output.broken = output.rejects.size();
      output.rejects.push_back({Reject::Kind::kExpectation, std::move(reasons[row]),
                                delta.rows->Slice(row, 1), std::move(names[row])});
    }
  }
  if (static_cast<std::int64_t>(left.size()) == delta.size()) return {};
  if (left.empty() || output.broken) {
    output.delta = {};
    return {};
  }
  ASSIGN(output.delta, take(output.delta, left));
  return {};
}

}  // namespace tailrace::engine
