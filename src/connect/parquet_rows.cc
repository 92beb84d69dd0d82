#include "connect/parquet_rows.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>

#include <cmath>
#include <iterator>

#include "base/base64.h"
#include "columns/types.h"
#include "connect/json_path.h"

namespace tailrace::connect {
namespace {

constexpr std::int64_t kBatchRows = 4096;

void append_value(std::string& out, const arrow::Array& array, std::int64_t row);

/// A list of any of Arrow's kinds.
template <typename ListType>
void append_list(std::string& out, const arrow::Array& array, std::int64_t row) {
  const auto& list = static_cast<const ListType&>(array);
  const std::int64_t begin = list.value_offset(row);
  const std::int64_t end = begin + list.value_length(row);
  out += '[';
  for (std::int64_t i = begin; i < end; ++i) {
    if (i > begin) out += ',';
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

template <typename ArrayType>
std::string_view view_of(const arrow::Array& array, std::int64_t row) {
  return static_cast<const ArrayType&>(array).GetView(row);
}

void append_double(std::string& out, double value) {
  if (std::isfinite(value))
    out += fmt::format("{}", value);
  else
    append_json_string(out, std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

/// What has no case of its own: other integers, decimals, dates and times by Arrow's own text.
void append_scalar(std::string& out, const arrow::Array& array, std::int64_t row) {
  const auto scalar = array.GetScalar(row);
  const std::string text = scalar.ok() ? (*scalar)->ToString() : "";
  const bool number = arrow::is_integer(array.type_id()) || arrow::is_decimal(array.type_id());
  if (number)
    out += text;
  else
    append_json_string(out, text);
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
    case Type::INT32:
      fmt::format_to(std::back_inserter(out), "{}", value_of<arrow::Int32Array>(array, row));
      return;
    case Type::INT64:
      fmt::format_to(std::back_inserter(out), "{}", value_of<arrow::Int64Array>(array, row));
      return;
    case Type::FLOAT:
      return append_double(out, value_of<arrow::FloatArray>(array, row));
    case Type::DOUBLE:
      return append_double(out, value_of<arrow::DoubleArray>(array, row));
    case Type::STRING:
      return append_json_string(out, view_of<arrow::StringArray>(array, row));
    case Type::LARGE_STRING:
      return append_json_string(out, view_of<arrow::LargeStringArray>(array, row));
    case Type::BINARY:
      return append_json_string(out, encode_base64(view_of<arrow::BinaryArray>(array, row)));
    case Type::LARGE_BINARY:
      return append_json_string(out, encode_base64(view_of<arrow::LargeBinaryArray>(array, row)));
    case Type::FIXED_SIZE_BINARY:
      return append_json_string(out,
                                encode_base64(view_of<arrow::FixedSizeBinaryArray>(array, row)));
    case Type::LIST:
      return append_list<arrow::ListArray>(out, array, row);
    case Type::LARGE_LIST:
      return append_list<arrow::LargeListArray>(out, array, row);
    case Type::FIXED_SIZE_LIST:
      return append_list<arrow::FixedSizeListArray>(out, array, row);
    case Type::STRUCT:
      return append_struct(out, static_cast<const arrow::StructArray&>(array), row);
    case Type::MAP:
      return append_map(out, static_cast<const arrow::MapArray&>(array), row);
    case Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return append_value(out, *coded.dictionary(), coded.GetValueIndex(row));
    }
    default:
      return append_scalar(out, array, row);
  }
}

class ParquetFile final : public RecordFile {
 public:
  ParquetFile(std::unique_ptr<parquet::arrow::FileReader> reader,
              std::unique_ptr<arrow::RecordBatchReader> batches)
      : reader_(std::move(reader)), batches_(std::move(batches)) {}

  Result<bool> next(FileRecord& record) override {
    while (!batch_ || row_ == batch_->num_rows()) {
      if (auto read = from_arrow(batches_->ReadNext(&batch_)); !read)
        return error(Code::kDataLoss, read.error().what);
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

Result<std::unique_ptr<RecordFile>> open_file(const std::string& path) {
  ASSIGN(auto file, from_arrow(arrow::io::ReadableFile::Open(path)));
  parquet::arrow::FileReaderBuilder builder;
  parquet::ReaderProperties reading;
  reading.enable_buffered_stream();
  TRY(from_arrow(builder.Open(file, reading)));
  parquet::ArrowReaderProperties rows(/*use_threads=*/false);
  rows.set_batch_size(kBatchRows);
  rows.set_pre_buffer(false);  // else all of the file is held in memory
  std::unique_ptr<parquet::arrow::FileReader> reader;
  TRY(from_arrow(builder.properties(rows)->Build(&reader)));
  ASSIGN(auto batches, from_arrow(reader->GetRecordBatchReader()));
  return std::make_unique<ParquetFile>(std::move(reader), std::move(batches));
}

}  // namespace

Result<std::unique_ptr<RecordFile>> open_parquet(const std::string& path) {
  auto file = open_file(path);
  if (!file) return error(Code::kDataLoss, file.error().what);
  return file;
}

}  // namespace tailrace::connect
