// Arrow behind our words. Spark's types map to Arrow's one to one:
//
//   BOOLEAN bool · TINYINT int8 · SMALLINT int16 · INT int32 · BIGINT int64 · FLOAT float32 ·
//   DOUBLE float64 DECIMAL(p,s) decimal128(p,s) · STRING utf8 · BINARY binary · DATE date32 ·
//   TIMESTAMP timestamp(us,"UTC") TIMESTAMP_NTZ timestamp(us) · INTERVAL day-time duration(us) ·
//   ARRAY list(element) · MAP map · STRUCT struct VOID null. The session time zone is UTC.
#pragma once

#include <arrow/api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace tailrace {

using Type = std::shared_ptr<arrow::DataType>;
using Field = std::shared_ptr<arrow::Field>;
using Schema = std::shared_ptr<arrow::Schema>;
using Array = std::shared_ptr<arrow::Array>;
using Batch = std::shared_ptr<arrow::RecordBatch>;

/// How often a row is added (positive) or taken away (negative): the weight of a Z-set.
using Weight = std::int64_t;

/// A change to a relation: rows with weights (a Z-set in columns). Empty `weights` means every row
/// is +1.
struct Delta {
  Batch rows;
  std::vector<Weight> weights;

  bool empty() const { return !rows || rows->num_rows() == 0; }
  std::int64_t size() const { return rows ? rows->num_rows() : 0; }
  Weight weight(std::int64_t row) const { return weights.empty() ? 1 : weights[row]; }
  bool only_inserts() const;
};

Type timestamp_type();

/// The type in Spark's words: "BIGINT", "ARRAY<STRING>", "STRUCT<a: INT>".
std::string spark_name(const arrow::DataType& type);

/// Arrow's compute functions are there afterwards; again it costs nothing.
void initialise_kernels();

/// Arrow's Status or Result at the edge of a room that uses Arrow.
inline std::unexpected<Error> arrow_error(const arrow::Status& status) {
  const Code code = status.IsOutOfMemory() ? Code::kResourceExhausted
                    : status.IsIOError()   ? Code::kUnavailable
                                           : Code::kInternal;
  return error(code, status.message());
}

template <typename T>
Result<T> from_arrow(arrow::Result<T> result) {
  if (!result.ok()) return arrow_error(result.status());
  return std::move(result).ValueUnsafe();
}

inline Status from_arrow(const arrow::Status& status) {
  if (!status.ok()) return arrow_error(status);
  return {};
}

}  // namespace tailrace
