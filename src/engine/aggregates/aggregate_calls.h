// All aggregate calls of one node together: which expressions they need, their cells in one matrix,
// their traces.
#pragma once

#include "engine/aggregates/aggregate_state.h"
#include "engine/counts.h"
#include "engine/evaluation.h"

namespace tailrace::engine {

class AggregateCalls {
 public:
  /// Homes are taken call by call in the plan's order.
  static Result<AggregateCalls> make(const Plan& plan, TraceHomes& homes);

  /// Groups, then each call's argument and filter (null where it has none).
  const std::vector<ExprPtr>& exprs() const { return exprs_; }
  /// Bytes of a group's cells; the first 8 count the group's rows.
  std::size_t stride() const { return stride_; }
  static Weight rows_of(const CellMatrix& cells, std::size_t group) {
    Weight rows;
    std::memcpy(&rows, cells.at(group, 0), sizeof rows);
    return rows;
  }

  /// One column a call, one value a group.
  Result<std::vector<Array>> results(std::span<const std::string_view> groups,
                                     std::span<const std::uint64_t> hashes, const CellMatrix& cells,
                                     std::vector<RowError>& errors);
  /// Adds rows, evaluated by exprs() and grouped by `keys`, whose results were asked for just
  /// before.
  Status add(const Evaluated& in, const EncodedRows& keys, const Grouping& groups,
             CellMatrix& cells);
  Status forget(std::span<const std::string_view> groups, std::span<const std::uint64_t> hashes);
  void append_traces(std::vector<Trace*>& traces);

 private:
  struct Call {
    std::unique_ptr<LinearAggregate> linear;
    std::size_t offset = 0;
    std::unique_ptr<KeyedAggregate> keyed;
    std::unique_ptr<Counts> distinct;
  };
  Status keep_distinct(Counts& counts, CallChange& change) const;

  std::size_t group_columns_ = 0;
  std::vector<ExprPtr> exprs_;
  std::vector<Call> calls_;
  std::size_t stride_ = 16;
};

}  // namespace tailrace::engine
