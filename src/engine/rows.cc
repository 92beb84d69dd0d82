// Gather and concatenation by Arrow's kernels; consolidation by row bytes.
#include "engine/rows.h"

#include <arrow/compute/api.h>

#include <cmath>
#include <limits>

#include "columns/row_codec.h"
#include "engine/grouping.h"

namespace tailrace::engine {

Result<Batch> take(const Batch& batch, std::span<const std::int64_t> rows) {
  const auto indexes = std::make_shared<arrow::Int64Array>(
      static_cast<std::int64_t>(rows.size()), arrow::Buffer::Wrap(rows.data(), rows.size()));
  const auto options = arrow::compute::TakeOptions::NoBoundsCheck();
  std::vector<Array> columns;
  for (const Array& column : batch->columns()) {
    ASSIGN(arrow::Datum taken, from_arrow(arrow::compute::Take(column, indexes, options)));
    columns.push_back(taken.make_array());
  }
  return arrow::RecordBatch::Make(batch->schema(), indexes->length(), std::move(columns));
}

Result<Delta> take(const Delta& delta, std::span<const std::int64_t> rows) {
  Delta out;
  ASSIGN(out.rows, take(delta.rows, rows));
  if (delta.weights.empty()) return out;
  out.weights.reserve(rows.size());
  for (const std::int64_t row : rows) out.weights.push_back(delta.weights[row]);
  return out;
}

Result<Array> take_nullable(const Array& values, const arrow::Array& rows) {
  const Array indexes = arrow::MakeArray(rows.data());
  ASSIGN(arrow::Datum taken, from_arrow(arrow::compute::Take(
                                 values, indexes, arrow::compute::TakeOptions::NoBoundsCheck())));
  return taken.make_array();
}

Batch batch_of(const Schema& schema, std::vector<Array> columns, std::int64_t rows) {
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

Batch unnamed_batch(std::vector<Array> columns, std::int64_t rows) {
  arrow::FieldVector fields;
  for (const Array& column : columns) fields.push_back(arrow::field("", column->type()));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(columns));
}

namespace {

/// A type whose nested field names or nullability differ is the same to us: the wanted one is put
/// on the data.
Array with_type(const Array& array, const Type& type) {
  if (array->type()->Equals(*type)) return array;
  auto data = array->data()->Copy();
  data->type = type;
  for (std::size_t i = 0; i < data->child_data.size(); ++i) {
    const auto& child = type->field(static_cast<int>(i))->type();
    data->child_data[i] = with_type(arrow::MakeArray(data->child_data[i]), child)->data();
  }
  return arrow::MakeArray(data);
}

}  // namespace

Result<Delta> concat(std::span<const Delta> deltas, const Schema& schema) {
  std::vector<const Delta*> parts;
  bool weighted = false;
  for (const Delta& delta : deltas) {
    if (delta.empty()) continue;
    parts.push_back(&delta);
    weighted |= !delta.weights.empty();
  }
  if (parts.empty()) return Delta{};
  Delta out;
  std::vector<Array> columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    arrow::ArrayVector pieces;
    for (const Delta* part : parts) {
      pieces.push_back(with_type(part->rows->column(i), schema->field(i)->type()));
    }
    if (pieces.size() == 1) {
      columns.push_back(pieces[0]);
    } else {
      ASSIGN(Array joined, from_arrow(arrow::Concatenate(pieces)));
      columns.push_back(std::move(joined));
    }
  }
  std::int64_t rows = 0;
  for (const Delta* part : parts) {
    rows += part->size();
    if (!weighted) continue;
    for (std::int64_t row = 0; row < part->size(); ++row) out.weights.push_back(part->weight(row));
  }
  out.rows = batch_of(schema, std::move(columns), rows);
  return out;
}

Result<Delta> consolidate(Delta delta) {
  if (delta.empty() || delta.only_inserts()) return delta;
  ASSIGN(const EncodedRows encoded, encode_rows(*delta.rows));
  Grouping groups;
  groups.assign(encoded);
  std::vector<Weight> sums(groups.size(), 0);
  for (std::int64_t row = 0; row < delta.size(); ++row) {
    sums[groups.group_of()[row]] += delta.weights[row];
  }
  std::vector<std::int64_t> kept;
  std::vector<Weight> weights;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    if (sums[group] == 0) continue;
    kept.push_back(groups.first_rows()[group]);
    weights.push_back(sums[group]);
  }
  Delta out;
  if (kept.empty()) return out;
  ASSIGN(out.rows, take(delta.rows, kept));
  out.weights = std::move(weights);
  return out;
}

namespace {

template <typename ArrayType>
Array normalise(const Array& array) {
  using Real = typename ArrayType::value_type;
  const auto& typed = static_cast<const ArrayType&>(*array);
  std::vector<Real> values(typed.raw_values(), typed.raw_values() + typed.length());
  for (Real& value : values) {
    if (std::isnan(value)) value = std::numeric_limits<Real>::quiet_NaN();
    if (value == 0) value = 0;
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (array->null_count() != 0) {
    // A bitmap at the array's own offset cannot go with new values at zero, so it is built anew.
    arrow::TypedBufferBuilder<bool> bits;
    for (std::int64_t i = 0; i < array->length(); ++i) (void)bits.Append(array->IsValid(i));
    validity = bits.Finish().ValueOrDie();
  }
  return std::make_shared<ArrayType>(array->type(), array->length(),
                                     arrow::Buffer::FromVector(std::move(values)), validity);
}

}  // namespace

Array normalise_reals(const Array& array) {
  switch (array->type_id()) {
    case arrow::Type::FLOAT:
      return normalise<arrow::FloatArray>(array);
    case arrow::Type::DOUBLE:
      return normalise<arrow::DoubleArray>(array);
    default:
      return array;
  }
}

}  // namespace tailrace::engine
