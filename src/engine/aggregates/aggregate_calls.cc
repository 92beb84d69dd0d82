// Calls: argument and filter by row, DISTINCT before a linear sum, cells or traces behind.
#include "engine/aggregates/aggregate_calls.h"

#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {

using Kind = AggregateCall::Kind;

Result<AggregateCalls> AggregateCalls::make(const Plan& plan, TraceHomes& homes) {
  AggregateCalls out;
  out.exprs_ = plan.exprs;
  out.group_columns_ = plan.exprs.size();
  const bool grows = insert_only(*plan.inputs[0]);
  for (const AggregateCall& spec : plan.aggregates) {
    out.exprs_.push_back(spec.arg);
    out.exprs_.push_back(spec.filter);
    Call call;
    if (is_linear(spec.kind)) {
      ASSIGN(call.linear, make_linear(spec));
      call.offset = out.stride_;
      out.stride_ += call.linear->cell_size();
      if (spec.distinct || spec.kind == Kind::kApproxCountDistinct) {
        call.distinct = std::make_unique<Counts>(homes.next());
      }
    } else {
      const bool lists = spec.kind == Kind::kCollectList || spec.kind == Kind::kCollectSet;
      call.keyed =
          grows && !lists ? make_extreme(spec, homes.next()) : make_ordered(spec, homes.next());
    }
    out.calls_.push_back(std::move(call));
  }
  return out;
}

Result<std::vector<Array>> AggregateCalls::results(std::span<const std::string_view> groups,
                                                   std::span<const std::uint64_t> hashes,
                                                   const CellMatrix& cells,
                                                   std::vector<RowError>& errors) {
  std::vector<Array> columns;
  for (Call& call : calls_) {
    if (call.linear) {
      ASSIGN(columns.emplace_back(), call.linear->results(cells, call.offset, errors));
    } else {
      ASSIGN(columns.emplace_back(), call.keyed->results(groups, hashes));
    }
  }
  return columns;
}

namespace {

std::vector<Weight> filtered_weights(const Delta& input, const Array& filter) {
  std::vector<Weight> weights = input.weights;
  if (weights.empty()) weights.assign(input.size(), 1);
  if (!filter) return weights;
  const auto& kept = static_cast<const arrow::BooleanArray&>(*filter);
  for (std::int64_t row = 0; row < input.size(); ++row) {
    if (kept.IsNull(row) || !kept.Value(row)) weights[row] = 0;
  }
  return weights;
}

}  // namespace

Status AggregateCalls::add(const Evaluated& in, const EncodedRows& keys, const Grouping& groups,
                           CellMatrix& cells) {
  for (std::int64_t row = 0; row < in.input.size(); ++row) {
    char* cell = cells.at(groups.group_of()[row], 0);
    Weight rows;
    std::memcpy(&rows, cell, sizeof rows);
    rows += in.input.weight(row);
    std::memcpy(cell, &rows, sizeof rows);
  }
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    Call& call = calls_[i];
    const Array& values = in.values[group_columns_ + 2 * i];
    const Array& filter = in.values[group_columns_ + 2 * i + 1];
    CallChange change{keys, groups, values, filtered_weights(in.input, filter)};
    if (call.distinct) TRY(keep_distinct(*call.distinct, change));
    if (call.linear) {
      TRY(call.linear->add(change, cells, call.offset));
    } else {
      TRY(call.keyed->add(change));
    }
  }
  return {};
}

/// Leaves weight 1 or -1 on one row of each value that came to or left its group, 0 on the others.
Status AggregateCalls::keep_distinct(Counts& counts, CallChange& change) const {
  const std::int64_t rows = change.values->length();
  ASSIGN(const EncodedRows values, encode_keys(*unnamed_batch({change.values}, rows), {{0}}));
  const EncodedRows keys = append_bytes(change.keys, values);
  Grouping distinct;
  distinct.assign(keys);
  std::vector<Weight> sums(distinct.size(), 0);
  for (std::int64_t row = 0; row < rows; ++row) {
    if (change.values->IsValid(row)) sums[distinct.group_of()[row]] += change.weights[row];
  }
  ASSIGN(const std::vector<Weight> changes, counts.add(distinct, std::move(sums)));
  std::fill(change.weights.begin(), change.weights.end(), 0);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    change.weights[distinct.first_rows()[i]] = changes[i];
  }
  return {};
}

Status AggregateCalls::forget(std::span<const std::string_view> groups,
                              std::span<const std::uint64_t> hashes) {
  for (Call& call : calls_) {
    if (call.keyed) TRY(call.keyed->forget(groups, hashes));
  }
  return {};
}

void AggregateCalls::append_traces(std::vector<Trace*>& traces) {
  for (Call& call : calls_) {
    if (call.keyed) traces.push_back(&call.keyed->trace());
    if (call.distinct) traces.push_back(&call.distinct->trace());
  }
}

}  // namespace tailrace::engine
