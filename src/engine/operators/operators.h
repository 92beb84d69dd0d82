// One maker for each operator; circuit.cc chooses by Plan::Kind. Each file opens with its
// incremental equation.
#pragma once

#include "engine/operator.h"
#include "engine/plan.h"

namespace tailrace::engine {

using OperatorPtr = std::unique_ptr<Operator>;

/// True when the node's output never retracts: streams, and what keeps them so.
bool insert_only(const Plan& plan);

OperatorPtr make_project(const Plan& plan);
OperatorPtr make_filter(const Plan& plan);
OperatorPtr make_union_all(const Plan& plan);
OperatorPtr make_distinct(const Plan& plan, TraceHomes& homes);
OperatorPtr make_explode(const Plan& plan);
Result<OperatorPtr> make_aggregate(const Plan& plan, TraceHomes& homes);
Result<OperatorPtr> make_windowed_aggregate(const Plan& plan, TraceHomes& homes);
OperatorPtr make_join(const Plan& plan, TraceHomes& homes);
OperatorPtr make_top_n(const Plan& plan, TraceHomes& homes);
/// What a deduplication leaves to a table that keeps its rows (kept_result.h).
struct LeftToTable {
  const KeptResult* kept = nullptr;
  std::vector<std::string> replaced;  ///< encoded partitions whose first row gave way in this step
  std::vector<KeptNote> notes;        ///< of this step
};

/// The first row of each partition of an insert-only input: one slot a partition. With `left` it
/// holds no rows, and one that gives way is not retracted: that is the circuit's.
OperatorPtr make_first_of(const Plan& plan, TraceHomes& homes, LeftToTable* left);

/// Follows event time; the circuit asks it how far the stream is.
class WatermarkOperator : public Operator {
 public:
  /// Greatest event time seen, less the delay; nothing before the first.
  virtual std::optional<std::int64_t> seen_us() const = 0;
  virtual Status restore() = 0;
};
std::unique_ptr<WatermarkOperator> make_watermark(const Plan& plan, TraceHomes& homes);

}  // namespace tailrace::engine
