#include "connect/parquet_rows.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>

#include <cmath>

#include "columns/types.h"
#include "connect/json_path.h"
#include "connect/rejects.h"

namespace tailrace::connect {
namespace {

void append_value(std::string& out, const arrow::Array& array, std::int64_t row);

void append_list(std::string& out, const arrow::ListArray& list, std::int64_t row) {
  out += '[';
  for (auto i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
    if (i > list.value_offset(row)) out += ',';
    append_value(out, *list.values(), i);
  }
  out += ']';
}

void append_struct(std::string& out, const arrow::StructArray& rows, std::int64_t row) {
  out += '{';
  for (int i = 0; i < rows.num_fields(); ++i) {
    if (i) out += ',';
    append_json_string(out, rows.type()->field(i)->name());
    out += ':';
    append_value(out, *rows.field(i), row);
  }
  out += '}';
}

void append_map(std::string& out, const arrow::MapArray& map, std::int64_t row) {
  out += '{';
  for (auto i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    if (i > map.value_offset(row)) out += ',';
    const auto key = map.keys()->GetScalar(i);
    append_json_string(out, key.ok() ? (*key)->ToString() : "");
    out += ':';
    append_value(out, *map.items(), i);
  }
  out += '}';
}

template <typename ArrayType>
auto value_of(const arrow::Array& array, std::int64_t row) {
  return static_cast<const ArrayType&>(array).Value(row);
}

void append_double(std::string& out, double value) {
  if (std::isfinite(value))
    out += fmt::format("{}", value);
  else
    append_json_string(out, std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

void append_value(std::string& out, const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) {
    out += "null";
    return;
  }
  using arrow::Type;
  switch (array.type_id()) {
    case Type::BOOL:
      out += value_of<arrow::BooleanArray>(array, row) ? "true" : "false";
      return;
    case Type::FLOAT:
      return append_double(out, value_of<arrow::FloatArray>(array, row));
    case Type::DOUBLE:
      return append_double(out, value_of<arrow::DoubleArray>(array, row));
    case Type::STRING:
      return append_json_string(out, static_cast<const arrow::StringArray&>(array).GetView(row));
    case Type::BINARY:
      return append_json_string(out,
                                base64(static_cast<const arrow::BinaryArray&>(array).GetView(row)));
    case Type::LIST:
      return append_list(out, static_cast<const arrow::ListArray&>(array), row);
    case Type::STRUCT:
      return append_struct(out, static_cast<const arrow::StructArray&>(array), row);
    case Type::MAP:
      return append_map(out, static_cast<const arrow::MapArray&>(array), row);
    default:
      break;
  }
  const auto scalar = array.GetScalar(row);
  const std::string text = scalar.ok() ? (*scalar)->ToString() : "";
  const bool number = arrow::is_integer(array.type_id()) || arrow::is_decimal(array.type_id());
  if (number)
    out += text;
  else
    append_json_string(out, text);
}

class ParquetFile final : public RecordFile {
 public:
  ParquetFile(std::unique_ptr<parquet::arrow::FileReader> reader,
              std::unique_ptr<arrow::RecordBatchReader> batches)
      : reader_(std::move(reader)), batches_(std::move(batches)) {}

  Result<bool> next(FileRecord& record) override {
    while (!batch_ || row_ == batch_->num_rows()) {
      TRY(from_arrow(batches_->ReadNext(&batch_)));
      if (!batch_) return false;
      row_ = 0;
    }
    record.problem.clear();
    record.number = ++number_;
    record.value = "{";
    for (int i = 0; i < batch_->num_columns(); ++i) {
      if (i) record.value += ',';
      append_json_string(record.value, batch_->column_name(i));
      record.value += ':';
      append_value(record.value, *batch_->column(i), row_);
    }
    record.value += '}';
    ++row_;
    return true;
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::int64_t row_ = 0;
  std::int64_t number_ = 0;
};

}  // namespace

Result<std::unique_ptr<RecordFile>> open_parquet(const std::string& path) {
  ASSIGN(auto file, from_arrow(arrow::io::ReadableFile::Open(path)));
  ASSIGN(auto reader, from_arrow(parquet::arrow::OpenFile(file, arrow::default_memory_pool())));
  reader->set_batch_size(4096);
  ASSIGN(auto batches, from_arrow(reader->GetRecordBatchReader()));
  return std::make_unique<ParquetFile>(std::move(reader), std::move(batches));
}

}  // namespace tailrace::connect
