// Partition and order keys.
#include "engine/operators/ordering.h"

#include "engine/evaluation.h"
#include "engine/rows.h"

namespace tailrace::engine {

Ordering::Ordering(const Plan& plan) : exprs_(plan.partition) {
  int index = 0;
  for (std::size_t i = 0; i < plan.partition.size(); ++i) partition_.push_back({index++});
  for (const Plan::Order& order : plan.order) {
    exprs_.push_back(order.expr);
    order_.push_back({index++, order.descending, order.nulls_first});
  }
}

Result<Ordered> Ordering::encode(const Delta& input, StepContext& context) const {
  ASSIGN(Evaluated in, evaluate_all(exprs_, input, context));
  Ordered out;
  out.input = std::move(in.input);
  const Batch keys = unnamed_batch(std::move(in.values), out.input.size());
  ASSIGN(out.partitions, encode_keys(*keys, partition_));
  ASSIGN(out.orders, encode_keys(*keys, order_));
  ASSIGN(out.rows, encode_rows(*out.input.rows));
  return out;
}

Result<Delta> with_first_rank(Delta delta, const Schema& schema) {
  if (schema->num_fields() == delta.rows->num_columns()) return delta;
  std::vector<Array> columns = delta.rows->columns();
  const std::int64_t rows = delta.size();
  columns.push_back(std::make_shared<arrow::Int32Array>(
      rows, arrow::Buffer::FromVector(std::vector<std::int32_t>(rows, 1))));
  delta.rows = batch_of(schema, std::move(columns), rows);
  return delta;
}

}  // namespace tailrace::engine
