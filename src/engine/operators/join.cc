// Equi-join: Δ(A ⋈ B) = ΔA ⋈ (B + ΔB) + A ⋈ ΔB, null keys matching nothing. A left join adds A's
// rows without a match: its state has, beside each left row's weight, the weight of its matches,
// which the two products keep up to date. State: each side's rows by (key, row).
#include <absl/container/flat_hash_map.h>

#include "engine/deadline.h"
#include "engine/evaluation.h"
#include "engine/operators/join_side.h"
#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

class Join final : public Operator {
 public:
  Join(const Plan& plan, TraceHomes& homes)
      : schema_(plan.schema),
        keeps_left_(plan.join == Plan::JoinType::kLeft),
        residual_(plan.residual),
        left_(plan.left_keys, plan.inputs[0]->schema, homes.next()),
        right_(plan.right_keys, plan.inputs[1]->schema, homes.next()) {}

  Result<Delta> step(std::span<const Delta> inputs, StepContext& context) override {
    ASSIGN(JoinDelta left, left_.encode(inputs[0], context));
    ASSIGN(JoinDelta right, right_.encode(inputs[1], context));
    std::vector<Delta> out;
    if (keeps_left_ && !left.unmatched.empty()) {
      ASSIGN(out.emplace_back(), pad(left.unmatched));
    }
    TRY(right_.apply(right));
    ASSIGN(const JoinMatches new_right, right_.matches(left));
    ASSIGN(const JoinMatches old_left, left_.matches(right));
    ASSIGN(Pairs pairs, pairs_of(left, new_right));
    TRY(filter(left.input.rows, new_right.rows, pairs, context));
    ASSIGN(Pairs old_pairs, pairs_of(right, old_left));
    std::swap(old_pairs.left, old_pairs.right);
    TRY(filter(old_left.rows, right.input.rows, old_pairs, context));
    ASSIGN(out.emplace_back(), joined(left.input.rows, new_right.rows, pairs));
    ASSIGN(out.emplace_back(), joined(old_left.rows, right.input.rows, old_pairs));
    if (keeps_left_) {
      TRY(keep_left(left, old_left, pairs, old_pairs, out));
    } else {
      TRY(left_.apply(left));
    }
    return concat(out, schema_);
  }
  std::vector<Trace*> traces() override { return {&left_.trace(), &right_.trace()}; }

 private:
  struct Pairs {
    std::vector<std::int64_t> left, right;
    std::vector<Weight> weights;
  };

  /// Every row of `delta` with every match of its key; `left` is the delta's row, `right` the
  /// match's.
  static Result<Pairs> pairs_of(const JoinDelta& delta, const JoinMatches& matches) {
    Pairs pairs;
    for (std::int64_t row = 0; row < delta.input.size(); ++row) {
      const std::uint32_t group = delta.by_key.group_of()[row];
      TRY(Deadline::check());
      for (std::int64_t at = matches.begins[group]; at < matches.begins[group + 1]; ++at) {
        pairs.left.push_back(row);
        pairs.right.push_back(at);
        pairs.weights.push_back(delta.input.weight(row) * matches.weights[at]);
      }
    }
    return pairs;
  }

  Result<Batch> rows_of(const Batch& left, const Batch& right, const Pairs& pairs) const {
    ASSIGN(const Batch left_rows, take(left, pairs.left));
    ASSIGN(const Batch right_rows, take(right, pairs.right));
    std::vector<Array> columns = left_rows->columns();
    for (const Array& column : right_rows->columns()) columns.push_back(column);
    return batch_of(schema_, std::move(columns), left_rows->num_rows());
  }

  /// Keeps the pairs for which the residual is true.
  Status filter(const Batch& left, const Batch& right, Pairs& pairs, StepContext& context) const {
    if (!residual_ || pairs.left.empty()) return {};
    ASSIGN(const Batch rows, rows_of(left, right, pairs));
    EvalContext evaluation;
    evaluation.now_us = context.now_us;
    ASSIGN(const Array condition, evaluate(*residual_, *rows, evaluation));
    for (const RowError& failed : evaluation.errors) {
      if (pairs.weights[failed.row] <= 0) continue;
      context.rejects->push_back({Reject::Kind::kError, failed.what, rows->Slice(failed.row, 1)});
    }
    Pairs kept;
    for (const std::int64_t pair : true_rows(condition)) {
      kept.left.push_back(pairs.left[pair]);
      kept.right.push_back(pairs.right[pair]);
      kept.weights.push_back(pairs.weights[pair]);
    }
    pairs = std::move(kept);
    return {};
  }

  Result<Delta> joined(const Batch& left, const Batch& right, const Pairs& pairs) const {
    if (pairs.left.empty()) return Delta{};
    ASSIGN(Batch rows, rows_of(left, right, pairs));
    return Delta{std::move(rows), pairs.weights};
  }

  Result<Delta> pad(const Delta& left) const {
    std::vector<Array> columns = left.rows->columns();
    for (int i = left.rows->num_columns(); i < schema_->num_fields(); ++i) {
      ASSIGN(Array nulls,
             from_arrow(arrow::MakeArrayOfNull(schema_->field(i)->type(), left.size())));
      columns.push_back(std::move(nulls));
    }
    return Delta{batch_of(schema_, std::move(columns), left.size()), left.weights};
  }

  /// Weights and matches of the left rows that change, and their padded rows that come or go.
  Status keep_left(const JoinDelta& left, const JoinMatches& old_left, const Pairs& pairs,
                   const Pairs& old_pairs, std::vector<Delta>& out);
  Status keep_matched(const JoinMatches& old_left, const std::vector<Weight>& moved,
                      std::vector<Delta>& out);

  /// One left row's state moves on; gives the change of its padded form.
  Weight update_left(std::string_view key, JoinHeld before, JoinHeld after) {
    if (after.weight == 0) {
      left_.trace().erase(key);
    } else {
      left_.trace().put(key, after.bytes());
    }
    const Weight padded_before = before.matched == 0 ? before.weight : 0;
    return (after.matched == 0 ? after.weight : 0) - padded_before;
  }

  Schema schema_;
  bool keeps_left_;
  ExprPtr residual_;
  JoinSide left_, right_;
};

Status Join::keep_left(const JoinDelta& left, const JoinMatches& old_left, const Pairs& pairs,
                       const Pairs& old_pairs, std::vector<Delta>& out) {
  TRY(left_.trace().load(left.by_row.keys()));
  std::vector<Weight> moved(old_left.keys.size(), 0);
  for (std::size_t i = 0; i < old_pairs.left.size(); ++i) {
    moved[old_pairs.left[i]] += old_pairs.weights[i] / old_left.weights[old_pairs.left[i]];
  }
  std::vector<Weight> fresh(left.by_row.size(), 0);
  for (std::size_t i = 0; i < pairs.left.size(); ++i) {
    const std::int64_t row = pairs.left[i];
    const std::uint32_t group = left.by_row.group_of()[row];
    if (left.by_row.first_rows()[group] != row) continue;  // an equal row has the same matches
    fresh[group] += pairs.weights[i] / left.input.weight(row);
  }
  absl::flat_hash_map<std::string_view, std::size_t> old_places;
  for (std::size_t i = 0; i < moved.size(); ++i) old_places.emplace(old_left.keys[i], i);

  std::vector<std::int64_t> rows;
  Delta changed;
  for (std::size_t group = 0; group < left.by_row.size(); ++group) {
    const std::string_view key = left.by_row.keys()[group];
    const std::int64_t row = left.by_row.first_rows()[group];
    JoinHeld before{0, 0, left.keys[row].size()};
    JoinHeld after = before;
    if (const std::string* known = left_.trace().get(key)) {
      before = after = JoinHeld::read(*known);
      if (const auto old = old_places.find(key); old != old_places.end()) {
        after.matched += std::exchange(moved[old->second], 0);
      }
    } else {
      after.matched = fresh[group];
    }
    after.weight += left.sums[group];
    if (before.weight == 0 && after.weight == 0) continue;
    const Weight change = update_left(key, before, after);
    if (change == 0) continue;
    rows.push_back(row);
    changed.weights.push_back(change);
  }
  if (!rows.empty()) {
    ASSIGN(changed.rows, take(left.input.rows, rows));
    ASSIGN(out.emplace_back(), pad(changed));
  }
  return keep_matched(old_left, moved, out);
}

/// The left rows that did not change themselves but whose matches did.
Status Join::keep_matched(const JoinMatches& old_left, const std::vector<Weight>& moved,
                          std::vector<Delta>& out) {
  std::vector<std::int64_t> rows;
  Delta changed;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (moved[i] == 0) continue;
    const JoinHeld before{old_left.weights[i], old_left.matched[i], old_left.row_at[i]};
    JoinHeld after = before;
    after.matched += moved[i];
    const Weight change = update_left(old_left.keys[i], before, after);
    if (change == 0) continue;
    rows.push_back(static_cast<std::int64_t>(i));
    changed.weights.push_back(change);
  }
  if (rows.empty()) return {};
  ASSIGN(changed.rows, take(old_left.rows, rows));
  ASSIGN(out.emplace_back(), pad(changed));
  return {};
}

}  // namespace

OperatorPtr make_join(const Plan& plan, TraceHomes& homes) {
  return std::make_unique<Join>(plan, homes);
}

}  // namespace tailrace::engine
