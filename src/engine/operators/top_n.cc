// The first rows of each partition: Δ(top A) = top(A + ΔA) − top(A), for the partitions ΔA touches.
// State: every row with its weight, by partition, order, row (whose bytes break ties); of an
// insert-only input only the first rows.
#include <absl/container/flat_hash_map.h>

#include "engine/grouping.h"
#include "engine/operators/operators.h"
#include "engine/operators/ordering.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

/// What a key's value holds: how often the row is there, and where in the key the row begins.
struct Held {
  Weight weight;
  std::uint64_t row_at;

  static Held read(std::string_view bytes) {
    Held held;
    std::memcpy(&held, bytes.data(), sizeof held);
    return held;
  }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
};

/// A row among the first: `count` times, from `rank` on.
struct Place {
  std::string key;
  std::uint64_t row_at;
  std::int64_t rank;
  Weight count;
};

class TopN final : public Operator {
 public:
  TopN(const Plan& plan, TraceHomes& homes)
      : schema_(plan.schema),
        ordering_(plan),
        limit_(plan.limit.value_or(std::numeric_limits<std::int64_t>::max())),
        with_rank_(plan.with_rank),
        trims_(plan.limit && insert_only(*plan.inputs[0])),
        rows_(homes.next()) {}

  Result<Delta> step(std::span<const Delta> inputs, StepContext& context) override {
    if (inputs[0].empty()) return Delta{};
    ASSIGN(const Ordered in, ordering_.encode(inputs[0], context));
    if (in.input.empty()) return Delta{};
    partitions_.assign(in.partitions);
    std::vector<std::vector<Place>> before(partitions_.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      ASSIGN(before[i], first_places(partitions_.keys()[i]));
    }
    TRY(apply(in));
    Output out{RowDecoder(in.input.rows->schema()), {}, {}};
    for (std::size_t i = 0; i < before.size(); ++i) {
      ASSIGN(const std::vector<Place> after, first_places(partitions_.keys()[i]));
      if (trims_) TRY(trim(partitions_.keys()[i], after));
      emit_change(before[i], after, out);
    }
    return finish(out);
  }
  std::vector<Trace*> traces() override { return {&rows_}; }

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

  Result<std::vector<Place>> first_places(std::string_view partition) const {
    std::vector<Place> places;
    std::int64_t rank = 1;
    TRY(rows_.scan_prefix(partition, [&](std::string_view key, std::string_view value) {
      const Held held = Held::read(value);
      const Weight count = std::min<Weight>(held.weight, limit_ - rank + 1);
      if (count > 0) places.push_back({std::string(key), held.row_at, rank, count});
      rank += std::max<Weight>(count, 0);
      return rank <= limit_;
    }));
    return places;
  }

  Status apply(const Ordered& in) {
    const EncodedRows heads = append_bytes(in.partitions, in.orders);
    const EncodedRows keys = append_bytes(heads, in.rows);
    rows_of_step_.assign(keys);
    TRY(rows_.load(rows_of_step_.keys()));
    std::vector<Weight> sums(rows_of_step_.size(), 0);
    for (std::int64_t row = 0; row < in.input.size(); ++row) {
      sums[rows_of_step_.group_of()[row]] += in.input.weight(row);
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::string_view key = rows_of_step_.keys()[i];
      Held held{0, heads[rows_of_step_.first_rows()[i]].size()};
      if (const std::string* known = rows_.get(key)) held.weight = Held::read(*known).weight;
      if (sums[i] == 0) continue;
      held.weight += sums[i];
      if (held.weight == 0) {
        rows_.erase(key);
      } else {
        rows_.put(key, held.bytes());
      }
    }
    return {};
  }

  /// Rows behind the first ones can never come back: nothing before them will leave.
  Status trim(std::string_view partition, const std::vector<Place>& first) {
    const std::size_t kept = first.size();
    std::size_t seen = 0;
    std::vector<std::string> behind;
    TRY(rows_.scan_prefix(partition, [&](std::string_view key, std::string_view) {
      if (++seen > kept) behind.emplace_back(key);
      return true;
    }));
    for (const std::string& key : behind) rows_.erase(key);
    return {};
  }

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
  std::int64_t limit_;
  bool with_rank_, trims_;
  OrderedTrace rows_;
  Grouping partitions_, rows_of_step_;
};

}  // namespace

OperatorPtr make_top_n(const Plan& plan, TraceHomes& homes) {
  return std::make_unique<TopN>(plan, homes);
}

}  // namespace tailrace::engine
