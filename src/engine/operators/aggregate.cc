// Grouped aggregates: Δ(γ A) = γ(A + ΔA) − γ(A) for the groups ΔA touches: the old row goes, the
// new one comes, when they differ. State: each group's cells (row count, sums); values where a sum
// is not enough.
#include "engine/aggregates/aggregate_calls.h"
#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

class Aggregate final : public Operator {
 public:
  Aggregate(const Plan& plan, AggregateCalls calls, TraceHome home)
      : schema_(plan.schema),
        group_columns_(plan.exprs.size()),
        calls_(std::move(calls)),
        states_(std::move(home)) {
    for (std::size_t i = 0; i < group_columns_; ++i) key_.push_back({static_cast<int>(i)});
  }

  Result<Delta> step(std::span<const Delta> inputs, StepContext& context) override {
    std::vector<Delta> out;
    if (group_columns_ == 0 && !started_) {
      ASSIGN(out.emplace_back(), start());
    }
    started_ = true;
    if (!inputs[0].empty()) {
      ASSIGN(out.emplace_back(), change(inputs[0], context));
    }
    return concat(out, schema_);
  }

  std::vector<Trace*> traces() override {
    std::vector<Trace*> traces = {&states_};
    calls_.append_traces(traces);
    return traces;
  }

 private:
  /// The one row of a global aggregate over nothing.
  Result<Delta> start() {
    constexpr std::string_view kKey;
    const std::uint64_t hash = PointTrace::hash_of(kKey);
    TRY(states_.open({&kKey, 1}, {&hash, 1}, slots_));
    if (slots_[0]->present) return Delta{};
    const CellMatrix cells{std::vector<char>(calls_.stride()), calls_.stride()};
    states_.put(*slots_[0], {cells.bytes.data(), cells.stride});
    std::vector<RowError> errors;
    ASSIGN(std::vector<Array> columns, calls_.results({&kKey, 1}, {&hash, 1}, cells, errors));
    return Delta{batch_of(schema_, std::move(columns), 1), {}};
  }

  Result<Delta> change(const Delta& input, StepContext& context) {
    ASSIGN(Evaluated in, evaluate_all(calls_.exprs(), input, context));
    if (in.input.empty()) return Delta{};
    std::vector<Array> columns;
    for (std::size_t i = 0; i < group_columns_; ++i)
      columns.push_back(normalise_reals(in.values[i]));
    const Batch group_rows = unnamed_batch(std::move(columns), in.input.size());
    ASSIGN(const EncodedRows keys, encode_keys(*group_rows, key_));
    groups_.assign(keys);
    TRY(states_.open(groups_.keys(), groups_.hashes(), slots_));
    CellMatrix cells = load_cells();
    std::vector<RowError> errors, old_errors;
    ASSIGN(std::vector<Array> before,
           calls_.results(groups_.keys(), groups_.hashes(), cells, old_errors));
    TRY(calls_.add(in, keys, groups_, cells));
    ASSIGN(std::vector<Array> after,
           calls_.results(groups_.keys(), groups_.hashes(), cells, errors));
    ASSIGN(const Batch groups, take(group_rows, groups_.first_rows()));
    ASSIGN(Delta out, difference(groups, before, after, cells));
    store_cells(cells);
    for (const RowError& failed : errors) {
      context.rejects->push_back({Reject::Kind::kError, failed.what,
                                  in.input.rows->Slice(groups_.first_rows()[failed.row], 1)});
    }
    return out;
  }

  CellMatrix load_cells() const {
    CellMatrix cells{std::vector<char>(groups_.size() * calls_.stride()), calls_.stride()};
    for (std::size_t group = 0; group < slots_.size(); ++group) {
      const PointTrace::Slot& slot = *slots_[group];
      if (slot.present) std::memcpy(cells.at(group, 0), slot.value_data, slot.value_size);
    }
    return cells;
  }

  void store_cells(const CellMatrix& cells) {
    for (std::size_t group = 0; group < slots_.size(); ++group) {
      if (exists(cells, group)) {
        states_.put(*slots_[group], {cells.at(group, 0), cells.stride});
      } else {
        states_.erase(*slots_[group]);
      }
    }
  }
  bool exists(const CellMatrix& cells, std::size_t group) const {
    return group_columns_ == 0 || AggregateCalls::rows_of(cells, group) != 0;
  }

  /// Old rows of groups that were (their slot is still as it was), new rows of groups that are.
  Result<Delta> difference(const Batch& groups, std::vector<Array>& before,
                           std::vector<Array>& after, const CellMatrix& cells) const {
    const auto count = static_cast<std::int64_t>(groups_.size());
    ASSIGN(const EncodedRows old_bytes, encode_rows(*unnamed_batch(before, count)));
    ASSIGN(const EncodedRows new_bytes, encode_rows(*unnamed_batch(after, count)));
    std::vector<std::int64_t> gone, come;
    for (std::int64_t group = 0; group < count; ++group) {
      const bool was = slots_[group]->present;
      const bool is = exists(cells, group);
      if (was && is && old_bytes[group] == new_bytes[group]) continue;
      if (was) gone.push_back(group);
      if (is) come.push_back(group);
    }
    std::vector<Delta> out(2);
    if (!gone.empty()) {
      ASSIGN(out[0].rows, rows_at(groups, before, gone));
      out[0].weights.assign(gone.size(), -1);
    }
    if (!come.empty()) {
      ASSIGN(out[1].rows, rows_at(groups, after, come));
    }
    return concat(out, schema_);
  }

  Result<Batch> rows_at(const Batch& groups, const std::vector<Array>& results,
                        std::span<const std::int64_t> rows) const {
    std::vector<Array> columns = groups->columns();
    columns.insert(columns.end(), results.begin(), results.end());
    return take(batch_of(schema_, std::move(columns), groups->num_rows()), rows);
  }

  Schema schema_;
  std::size_t group_columns_;
  std::vector<KeyColumn> key_;
  AggregateCalls calls_;
  PointTrace states_;
  Grouping groups_;
  std::vector<PointTrace::Slot*> slots_;
  bool started_ = false;
};

}  // namespace

Result<OperatorPtr> make_aggregate(const Plan& plan, TraceHomes& homes) {
  TraceHome home = homes.next();
  ASSIGN(AggregateCalls calls, AggregateCalls::make(plan, homes));
  return OperatorPtr(std::make_unique<Aggregate>(plan, std::move(calls), std::move(home)));
}

}  // namespace tailrace::engine
