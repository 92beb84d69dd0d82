// Arrow array data as raw pointers.
#include "columns/column_view.h"

#include <fmt/format.h>

namespace tailrace {

using Kind = ColumnView::Kind;

Result<Kind> column_kind(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return Kind::kNull;
    case arrow::Type::BOOL:
      return Kind::kBool;
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      return Kind::kInt;
    case arrow::Type::FLOAT:
      return Kind::kFloat;
    case arrow::Type::DOUBLE:
      return Kind::kDouble;
    case arrow::Type::DECIMAL128:
      return Kind::kDecimal;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return Kind::kBytes;
    case arrow::Type::STRUCT:
      return Kind::kStruct;
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return Kind::kList;
    default:
      return error(Code::kUnimplemented, fmt::format("type {} is not supported", spark_name(type)));
  }
}

namespace {

Status view_children(const arrow::ArrayData& data, ColumnView& view) {
  for (const auto& child : data.child_data) {
    ASSIGN(ColumnView field, view_column(*child));
    // A struct's own offset applies to its fields, too; a list's offsets are positions in its
    // child.
    if (view.kind == Kind::kStruct) field.offset += data.offset;
    view.children.push_back(std::move(field));
  }
  return {};
}

template <typename T>
const T* buffer_at(const arrow::ArrayData& data, std::size_t index) {
  if (data.buffers.size() <= index || !data.buffers[index]) return nullptr;
  return reinterpret_cast<const T*>(data.buffers[index]->data());
}

}  // namespace

Result<ColumnView> view_column(const arrow::ArrayData& data) {
  ColumnView view;
  ASSIGN(view.kind, column_kind(*data.type));
  view.offset = data.offset;
  if (view.kind == Kind::kNull) return view;
  if (data.GetNullCount() != 0) view.validity = buffer_at<std::uint8_t>(data, 0);
  if (view.kind == Kind::kInt) view.width = data.type->byte_width();
  if (view.kind == Kind::kStruct) {
    TRY(view_children(data, view));
  } else if (view.kind == Kind::kList || view.kind == Kind::kBytes) {
    static constexpr std::int32_t kNoOffsets[2] = {0, 0};
    view.offsets = buffer_at<std::int32_t>(data, 1);
    if (!view.offsets) view.offsets = kNoOffsets;  // an empty array may come without offsets
    view.values = buffer_at<std::uint8_t>(data, 2);
    if (view.kind == Kind::kList) TRY(view_children(data, view));
  } else {
    view.values = buffer_at<std::uint8_t>(data, 1);
  }
  return view;
}

}  // namespace tailrace
