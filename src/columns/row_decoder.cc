// Columns from compact rows (grammar in value_codec.cc): one buffer a column, no object a value.
#include <cstring>

#include "base/check.h"
#include "columns/column_view.h"
#include "columns/row_codec.h"
#include "columns/varint.h"

namespace tailrace {
namespace {

using Kind = ColumnView::Kind;

/// A column being built. Row counts and lists above 2^31 elements are refused at finish.
struct Column {
  Kind kind;
  Type type;
  int width = 0;
  std::int64_t length = 0;
  std::int64_t nulls = 0;
  arrow::BufferBuilder values;
  arrow::TypedBufferBuilder<bool> validity;
  std::vector<std::int32_t> offsets;
  std::int64_t total = 0;  ///< bytes or elements so far
  std::vector<std::unique_ptr<Column>> children;

  static std::unique_ptr<Column> make(const Type& type);
  void append_null();
  const char* append(const char* from);
  const char* append_struct(const char* from);
  const char* append_list(const char* from);
  Result<std::shared_ptr<arrow::ArrayData>> finish();

 private:
  void put(const void* bytes, std::int64_t size) { CHECK(values.Append(bytes, size).ok()); }
  void mark(bool valid) {
    if (valid && nulls == 0) return;  // the bitmap begins with the first null
    if (nulls == 0) CHECK(validity.Append(length, true).ok());
    if (!valid) ++nulls;
    CHECK(validity.Append(valid).ok());
  }
  void end_variable(std::int64_t added) {
    total += added;
    offsets.push_back(static_cast<std::int32_t>(total));
  }
};

int fixed_width(Kind kind, const arrow::DataType& type) {
  switch (kind) {
    case Kind::kBool:
      return 1;
    case Kind::kInt:
      return type.byte_width();
    case Kind::kFloat:
      return 4;
    case Kind::kDouble:
      return 8;
    case Kind::kDecimal:
      return 16;
    default:
      return 0;
  }
}

std::unique_ptr<Column> Column::make(const Type& type) {
  auto column = std::make_unique<Column>();
  auto kind = column_kind(*type);
  column->kind = kind ? *kind : Kind::kNull;
  column->type = type;
  column->width = fixed_width(column->kind, *type);
  if (column->kind == Kind::kBytes || column->kind == Kind::kList) column->offsets.push_back(0);
  for (const Field& field : type->fields()) column->children.push_back(make(field->type()));
  return column;
}

void Column::append_null() {
  static constexpr char kZeros[16] = {};
  mark(false);
  ++length;
  if (width != 0) put(kZeros, width);
  if (kind == Kind::kBytes || kind == Kind::kList) end_variable(0);
  if (kind == Kind::kStruct) {
    for (auto& child : children) child->append_null();
  }
}

const char* Column::append(const char* from) {
  mark(true);
  ++length;
  if (width != 0) {
    put(from, width);
    return from + width;
  }
  switch (kind) {
    case Kind::kBytes: {
      const auto size = static_cast<std::int64_t>(read_varint(from));
      put(from, size);
      end_variable(size);
      return from + size;
    }
    case Kind::kStruct:
      return append_struct(from);
    case Kind::kList:
      return append_list(from);
    default:
      return from;
  }
}

bool null_at(const char* nulls, std::size_t i) {
  return (nulls[i >> 3] >> (i & 7)) & 1;
}

const char* Column::append_struct(const char* from) {
  const char* nulls = from;
  from += (children.size() + 7) / 8;
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (null_at(nulls, i)) {
      children[i]->append_null();
    } else {
      from = children[i]->append(from);
    }
  }
  return from;
}

const char* Column::append_list(const char* from) {
  const std::uint64_t count = read_varint(from);
  const char* nulls = from;
  from += (count + 7) / 8;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (null_at(nulls, i)) {
      children[0]->append_null();
    } else {
      from = children[0]->append(from);
    }
  }
  end_variable(static_cast<std::int64_t>(count));
  return from;
}

Result<std::shared_ptr<arrow::Buffer>> pack_bits(arrow::BufferBuilder& bytes, std::int64_t length) {
  arrow::TypedBufferBuilder<bool> bits;
  TRY(from_arrow(bits.Append(bytes.data(), length)));
  bytes.Reset();
  return from_arrow(bits.Finish());
}

Result<std::shared_ptr<arrow::ArrayData>> Column::finish() {
  if (total > std::numeric_limits<std::int32_t>::max()) {
    return error(Code::kResourceExhausted, "a column of one batch holds more than 2 GiB");
  }
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(1);
  if (nulls != 0 && kind != Kind::kNull) {
    ASSIGN(buffers[0], from_arrow(validity.Finish()));
  }
  if (!offsets.empty()) buffers.push_back(arrow::Buffer::FromVector(std::move(offsets)));
  if (kind == Kind::kBool) {
    ASSIGN(auto bits, pack_bits(values, length));
    buffers.push_back(std::move(bits));
  } else if (width != 0 || kind == Kind::kBytes) {
    ASSIGN(auto bytes, from_arrow(values.Finish()));
    buffers.push_back(std::move(bytes));
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> finished;
  for (auto& child : children) {
    ASSIGN(auto data, child->finish());
    finished.push_back(std::move(data));
  }
  return arrow::ArrayData::Make(type, length, std::move(buffers), std::move(finished), nulls);
}

}  // namespace

struct RowDecoder::Impl {
  Schema schema;
  std::unique_ptr<Column> root;
};

RowDecoder::RowDecoder(Schema schema) : impl_(std::make_unique<Impl>()) {
  impl_->root = Column::make(arrow::struct_(schema->fields()));
  impl_->schema = std::move(schema);
}

RowDecoder::~RowDecoder() = default;

void RowDecoder::append(std::string_view encoded) {
  impl_->root->append(encoded.data());
}

Result<Batch> RowDecoder::finish() {
  const std::int64_t rows = impl_->root->length;
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  for (auto& child : impl_->root->children) {
    ASSIGN(auto data, child->finish());
    columns.push_back(std::move(data));
  }
  impl_->root = Column::make(arrow::struct_(impl_->schema->fields()));
  return arrow::RecordBatch::Make(impl_->schema, rows, std::move(columns));
}

}  // namespace tailrace
