// Raw pointers into an Arrow array, so that row codecs loop over values with neither a virtual call
// nor a copy.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "columns/types.h"

namespace tailrace {

/// One column; valid as long as the array it was made from. Positions count from the array's own
/// offset.
struct ColumnView {
  enum class Kind { kNull, kBool, kInt, kFloat, kDouble, kDecimal, kBytes, kStruct, kList };
  Kind kind;
  int width = 0;  ///< bytes of a kInt
  std::int64_t offset = 0;
  const std::uint8_t* validity = nullptr;  ///< null when every value is there
  const std::uint8_t* values = nullptr;    ///< fixed-width values, bits of kBool, text of kBytes
  const std::int32_t* offsets = nullptr;   ///< kBytes and kList
  std::vector<ColumnView> children;        ///< fields of kStruct; the one element of kList

  bool is_null(std::int64_t row) const {
    if (kind == Kind::kNull) return true;
    if (!validity) return false;
    const std::int64_t at = row + offset;
    return ((validity[at >> 3] >> (at & 7)) & 1) == 0;
  }
  bool bit(std::int64_t row) const {
    const std::int64_t at = row + offset;
    return (values[at >> 3] >> (at & 7)) & 1;
  }
  const std::uint8_t* fixed(std::int64_t row, int bytes) const {
    return values + (row + offset) * bytes;
  }
  std::string_view bytes(std::int64_t row) const {
    const std::int32_t begin = offsets[row + offset];
    const std::int32_t end = offsets[row + offset + 1];
    return {reinterpret_cast<const char*>(values) + begin, static_cast<std::size_t>(end - begin)};
  }
  std::int32_t list_begin(std::int64_t row) const { return offsets[row + offset]; }
  std::int32_t list_end(std::int64_t row) const { return offsets[row + offset + 1]; }
};

/// How values of a type lie in memory; kUnimplemented for a type that is not Spark's. A map is a
/// list of structs.
Result<ColumnView::Kind> column_kind(const arrow::DataType& type);

Result<ColumnView> view_column(const arrow::ArrayData& data);

}  // namespace tailrace
