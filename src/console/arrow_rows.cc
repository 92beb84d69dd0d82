// Cells out of Arrow arrays; the only file of the console that includes Arrow's array classes.
#include "console/arrow_rows.h"

#include <arrow/scalar.h>

namespace tailrace::console {
namespace {

Value cell(const arrow::Array& array, std::int64_t row);

template <typename ArrowArray>
std::int64_t integer(const arrow::Array& array, std::int64_t row) {
  return static_cast<std::int64_t>(static_cast<const ArrowArray&>(array).Value(row));
}

Value list_cell(const arrow::ListArray& lists, std::int64_t row) {
  List out;
  for (auto i = lists.value_offset(row); i < lists.value_offset(row + 1); ++i) {
    out.push_back(cell(*lists.values(), i));
  }
  return {std::move(out)};
}

Value map_cell(const arrow::MapArray& maps, std::int64_t row) {
  Fields out;
  for (auto i = maps.value_offset(row); i < maps.value_offset(row + 1); ++i) {
    auto key = cell(*maps.keys(), i);
    auto* text = std::get_if<std::string>(&key.v);
    auto name = text ? *text : maps.keys()->GetScalar(i).ValueOrDie()->ToString();
    out.emplace_back(std::move(name), cell(*maps.items(), i));
  }
  return {std::move(out)};
}

Value struct_cell(const arrow::StructArray& structs, std::int64_t row) {
  Fields out;
  for (int i = 0; i < structs.num_fields(); ++i) {
    out.emplace_back(structs.struct_type()->field(i)->name(), cell(*structs.field(i), row));
  }
  return {std::move(out)};
}

Value bytes_cell(std::string_view bytes) {
  static constexpr const char* kDigits = "0123456789abcdef";
  std::string out = "0x";
  for (unsigned char c : bytes) {
    out.push_back(kDigits[c >> 4]);
    out.push_back(kDigits[c & 15]);
  }
  return {std::move(out)};
}

/// Dates, timestamps, decimals and the rest as Arrow writes them.
Value text_cell(const arrow::Array& array, std::int64_t row) {
  auto scalar = array.GetScalar(row);
  return {scalar.ok() ? (*scalar)->ToString() : scalar.status().ToString()};
}

Value cell(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return {};
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return {static_cast<const arrow::BooleanArray&>(array).Value(row)};
    case arrow::Type::INT8:
      return {integer<arrow::Int8Array>(array, row)};
    case arrow::Type::INT16:
      return {integer<arrow::Int16Array>(array, row)};
    case arrow::Type::INT32:
      return {integer<arrow::Int32Array>(array, row)};
    case arrow::Type::INT64:
      return {integer<arrow::Int64Array>(array, row)};
    case arrow::Type::FLOAT:
      return {static_cast<double>(static_cast<const arrow::FloatArray&>(array).Value(row))};
    case arrow::Type::DOUBLE:
      return {static_cast<const arrow::DoubleArray&>(array).Value(row)};
    case arrow::Type::STRING:
      return {static_cast<const arrow::StringArray&>(array).GetString(row)};
    case arrow::Type::BINARY:
      return bytes_cell(static_cast<const arrow::BinaryArray&>(array).GetView(row));
    case arrow::Type::LIST:
      return list_cell(static_cast<const arrow::ListArray&>(array), row);
    case arrow::Type::MAP:
      return map_cell(static_cast<const arrow::MapArray&>(array), row);
    case arrow::Type::STRUCT:
      return struct_cell(static_cast<const arrow::StructArray&>(array), row);
    default:
      return text_cell(array, row);
  }
}

}  // namespace

std::vector<Column> columns_of(const Schema& schema) {
  std::vector<Column> out;
  for (const auto& field : schema->fields()) {
    Column column{.name = field->name(), .type = spark_name(*field->type()), .comment = {}};
    if (field->metadata()) column.comment = field->metadata()->Get("comment").ValueOr("");
    out.push_back(std::move(column));
  }
  return out;
}

void append_rows(const Batch& batch, Rows& into) {
  if (into.columns.empty()) into.columns = columns_of(batch->schema());
  for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
    Row out;
    for (const auto& column : batch->columns()) out.push_back(cell(*column, row));
    into.rows.push_back(std::move(out));
  }
}

}  // namespace tailrace::console
