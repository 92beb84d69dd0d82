// Partition and order of rows as bytes, for the operators that take the first rows of partitions.
#pragma once

#include "columns/row_codec.h"
#include "engine/operator.h"
#include "engine/plan.h"

namespace tailrace::engine {

/// A delta with, by row: its partition's key, its order key in that partition, and the row itself,
/// which breaks ties.
struct Ordered {
  Delta input;
  EncodedRows partitions;
  EncodedRows orders;
  EncodedRows rows;
};

class Ordering {
 public:
  explicit Ordering(const Plan& plan);
  Result<Ordered> encode(const Delta& input, StepContext& context) const;

 private:
  std::vector<ExprPtr> exprs_;  ///< partition, then order
  std::vector<KeyColumn> partition_, order_;
};

/// Adds row_number 1 to every row when `schema` has a column more than the rows.
Result<Delta> with_first_rank(Delta delta, const Schema& schema);

}  // namespace tailrace::engine
