// The first rows of each partition: Δ(top A) = top(A + ΔA) − top(A), for the partitions ΔA touches.
// The row's bytes break ties. State: top_rows.h.
#include <absl/container/flat_hash_map.h>

#include <limits>

#include "engine/operators/operators.h"
#include "engine/operators/ordering.h"
#include "engine/operators/top_rows.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

class TopN final : public Operator {
 public:
  TopN(const Plan& plan, TraceHomes& homes)
      : schema_(plan.schema),
        ordering_(plan),
        with_rank_(plan.with_rank),
        rows_(plan.limit.value_or(std::numeric_limits<std::int64_t>::max()),
              insert_only(*plan.inputs[0]), homes) {}

  Result<Delta> step(std::span<const Delta> inputs, StepContext& context) override {
    if (inputs[0].empty()) return Delta{};
    ASSIGN(const Ordered in, ordering_.encode(inputs[0], context));
    if (in.input.empty()) return Delta{};
    ASSIGN(const auto changes, rows_.apply(in));
    Output out{RowDecoder(in.input.rows->schema()), {}, {}};
    for (const TopRows::Change& change : changes) emit_change(change.before, change.after, out);
    return finish(out);
  }
  std::vector<Trace*> traces() override { return rows_.traces(); }

 private:
  struct Output {
    RowDecoder rows;
    std::vector<std::int32_t> ranks;
    std::vector<Weight> weights;

    void add(const Place& place, std::int64_t rank, Weight weight) {
      rows.append(std::string_view(place.key).substr(place.row_at));
      ranks.push_back(static_cast<std::int32_t>(rank));
      weights.push_back(weight);
    }
  };

  void emit_change(const std::vector<Place>& before, const std::vector<Place>& after, Output& out) {
    if (with_rank_) return emit_ranks(before, after, out);
    absl::flat_hash_map<std::string_view, const Place*> old;
    for (const Place& place : before) old.emplace(place.key, &place);
    for (const Place& place : after) {
      const auto found = old.find(place.key);
      const Weight was = found == old.end() ? 0 : found->second->count;
      if (found != old.end()) old.erase(found);
      if (place.count != was) out.add(place, place.rank, place.count - was);
    }
    for (const auto& [key, place] : old) out.add(*place, place->rank, -place->count);
  }

  /// Rank by rank, where another row holds it now.
  static void emit_ranks(const std::vector<Place>& before, const std::vector<Place>& after,
                         Output& out) {
    auto old_place = before.begin();
    auto new_place = after.begin();
    for (std::int64_t rank = 1;; ++rank) {
      while (old_place != before.end() && rank >= old_place->rank + old_place->count) ++old_place;
      while (new_place != after.end() && rank >= new_place->rank + new_place->count) ++new_place;
      const bool was = old_place != before.end(), is = new_place != after.end();
      if (!was && !is) return;
      if (was && is && old_place->key == new_place->key) continue;
      if (was) out.add(*old_place, rank, -1);
      if (is) out.add(*new_place, rank, 1);
    }
  }

  Result<Delta> finish(Output& out) const {
    if (out.weights.empty()) return Delta{};
    ASSIGN(const Batch rows, out.rows.finish());
    std::vector<Array> columns = rows->columns();
    if (with_rank_) {
      columns.push_back(std::make_shared<arrow::Int32Array>(
          rows->num_rows(), arrow::Buffer::FromVector(std::move(out.ranks))));
    }
    return Delta{batch_of(schema_, std::move(columns), rows->num_rows()), std::move(out.weights)};
  }

  Schema schema_;
  Ordering ordering_;
  bool with_rank_;
  TopRows rows_;
};

}  // namespace

OperatorPtr make_top_n(const Plan& plan, TraceHomes& homes) {
  return std::make_unique<TopN>(plan, homes);
}

}  // namespace tailrace::engine
