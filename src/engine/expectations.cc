// One evaluation of each condition a step.
#include "engine/expectations.h"

#include <fmt/format.h>

#include "engine/evaluation.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

std::string row_text(const Batch& rows, std::int64_t row) {
  std::string out;
  for (int i = 0; i < rows->num_columns(); ++i) {
    const auto value = rows->column(i)->GetScalar(row);
    out += fmt::format("{}{} = {}", i == 0 ? "" : ", ", rows->schema()->field(i)->name(),
                       value.ok() ? (*value)->ToString() : "?");
  }
  return out;
}

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
  for (std::size_t i = 0; i < expectations.size(); ++i) {
    const Expectation& expectation = expectations[i];
    ASSIGN(const std::vector<bool> kept, kept_rows(expectation, delta.rows, now_us));
    for (std::int64_t row = 0; row < delta.size(); ++row) {
      const Weight added = std::max<Weight>(delta.weight(row), 0);
      (kept[row] ? output.expectations[i].passed : output.expectations[i].failed) += added;
      if (kept[row]) continue;
      if (expectation.action == Expectation::Action::kFail && added > 0) {
        return error(Code::kAborted,
                     fmt::format("{} was broken by the row {}", described(expectation),
                                 row_text(delta.rows, row)));
      }
      if (expectation.action != Expectation::Action::kDrop) continue;
      reasons[row] += (reasons[row].empty() ? "" : "; ") + described(expectation);
      names[row] += (names[row].empty() ? "" : ", ") + expectation.name;
    }
  }
  std::vector<std::int64_t> left;
  for (std::int64_t row = 0; row < delta.size(); ++row) {
    if (reasons[row].empty()) {
      left.push_back(row);
    } else if (delta.weight(row) > 0) {
      output.rejects.push_back({Reject::Kind::kExpectation, std::move(reasons[row]),
                                delta.rows->Slice(row, 1), std::move(names[row])});
    }
  }
  if (static_cast<std::int64_t>(left.size()) == delta.size()) return {};
  if (left.empty()) {
    output.delta = {};
    return {};
  }
  ASSIGN(output.delta, take(output.delta, left));
  return {};
}

}  // namespace tailrace::engine
