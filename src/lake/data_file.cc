// Arrow's Parquet writer with dictionaries where they pay, and its reader made to give our schema.
#include "lake/data_file.h"

#include <arrow/compute/api.h>
#include <arrow/io/file.h>
#include <arrow/util/byte_size.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

#include <algorithm>
#include <unordered_set>

#include "columns/widening.h"
#include "lake/disk.h"
#include "lake/file_statistics.h"
#include "lake/patient_output.h"

namespace tailrace::lake {
namespace {

constexpr std::int64_t kSampleRows = 1000;
constexpr std::int64_t kReadRows = 8192;

arrow::Compression::type codec(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return arrow::Compression::UNCOMPRESSED;
    case Compression::kSnappy:
      return arrow::Compression::SNAPPY;
    case Compression::kLz4:
      return arrow::Compression::LZ4;
    case Compression::kZstd:
      return arrow::Compression::ZSTD;
  }
  return arrow::Compression::UNCOMPRESSED;
}

/// Whether values repeat enough in the first rows for a dictionary to be smaller and faster.
bool repeats(const arrow::Array& values) {
  std::unordered_set<std::string> seen;
  const std::int64_t rows = std::min(values.length(), kSampleRows);
  if (rows == 0) return true;
  if (values.type_id() == arrow::Type::STRING) {
    const auto& texts = static_cast<const arrow::StringArray&>(values);
    if (texts.total_values_length() > 64 * values.length()) return false;
    for (std::int64_t row = 0; row < rows; ++row) seen.emplace(texts.GetView(row));
  } else if (values.type()->num_fields() > 0 || values.type_id() == arrow::Type::BINARY) {
    return true;
  } else {
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto scalar = values.GetScalar(row);
      seen.insert(scalar.ok() ? (*scalar)->ToString() : "");
    }
  }
  return static_cast<std::int64_t>(seen.size()) * 2 < rows;
}

std::shared_ptr<parquet::WriterProperties> properties(const FileOptions& options,
                                                      const arrow::RecordBatch& first) {
  parquet::WriterProperties::Builder builder;
  builder.compression(codec(options.compression));
  if (options.compression == Compression::kZstd) builder.compression_level(1);
  builder.max_row_group_length(options.row_group_rows);
  builder.data_page_version(parquet::ParquetDataPageVersion::V1);
  builder.version(parquet::ParquetVersion::PARQUET_2_6);
  for (int i = 0; i < first.num_columns(); ++i) {
    const std::string& name = first.schema()->field(i)->name();
    if (repeats(*first.column(i))) continue;
    builder.disable_dictionary(name);
    if (first.column(i)->type_id() == arrow::Type::STRING) builder.disable_statistics(name);
  }
  return builder.build();
}

/// Arrow names of list elements and map entries differ between writers; only what is inside counts.
bool same_values(const arrow::DataType& a, const arrow::DataType& b) {
  if (a.id() != b.id() || a.num_fields() != b.num_fields()) return false;
  if (a.num_fields() == 0) return a.Equals(b);
  for (int i = 0; i < a.num_fields(); ++i) {
    if (a.id() == arrow::Type::STRUCT && a.field(i)->name() != b.field(i)->name()) return false;
    if (!same_values(*a.field(i)->type(), *b.field(i)->type())) return false;
  }
  return true;
}

std::shared_ptr<arrow::ArrayData> with_type(const std::shared_ptr<arrow::ArrayData>& data,
                                            const Type& type) {
  auto renamed = data->Copy();
  renamed->type = type;
  for (int i = 0; i < type->num_fields(); ++i) {
    renamed->child_data[i] = with_type(data->child_data[i], type->field(i)->type());
  }
  return renamed;
}

Result<Array> as_type(const Array& values, const Field& field) {
  if (values->type()->Equals(*field->type(), true)) return values;
  if (same_values(*values->type(), *field->type()))
    return arrow::MakeArray(with_type(values->data(), field->type()));
  return error(Code::kInvalidArgument,
               fmt::format("column {} is {}, not {}", field->name(), spark_name(*field->type()),
                           spark_name(*values->type())));
}

/// Older files lack what a column has got since; what other writers store differently (large
/// strings, nanoseconds, …) is cast.
Result<Array> read_as(const Array& values, const Field& field) {
  if (auto same = as_type(values, field)) return same;
  if (const auto wide = widened_type(values->type(), field->type());
      wide && same_values(**wide, *field->type()))
    return widened(values, field->type());
  initialise_kernels();
  return from_arrow(
      arrow::compute::Cast(*values, field->type(), arrow::compute::CastOptions::Unsafe()));
}

}  // namespace

struct DataFileWriter::Open {
  std::string name;
  std::shared_ptr<PatientOutput> out;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
  FileStatistics statistics;
  std::int64_t group_bytes = 0;
};

DataFileWriter::DataFileWriter(std::string folder, Schema schema, FileOptions options)
    : folder_(std::move(folder)), schema_(std::move(schema)), options_(options) {}

DataFileWriter::~DataFileWriter() {
  for (const std::string& name : names()) remove_quietly(folder_ + "/" + name);
}

std::vector<std::string> DataFileWriter::names() const {
  std::vector<std::string> names;
  for (const AddFile& file : done_) names.push_back(file.path);
  if (open_) names.push_back(open_->name);
  return names;
}

Status DataFileWriter::start(const arrow::RecordBatch& first) {
  const std::string name = fmt::format("part-00000-{}-c000.parquet", random_uuid());
  ASSIGN(auto out, PatientOutput::create(folder_ + "/" + name, options_.room));
  ASSIGN(auto writer,
         from_arrow(parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), out,
                                                     properties(options_, first))));
  open_ = std::make_unique<Open>(name, std::move(out), std::move(writer), FileStatistics(schema_));
  return {};
}

Status DataFileWriter::write(const arrow::RecordBatch& rows) {
  if (rows.num_rows() == 0) return {};
  if (!open_) TRY(start(rows));
  TRY(from_arrow(open_->writer->WriteRecordBatch(rows)));
  open_->statistics.add(rows);
  open_->group_bytes += arrow::util::ReferencedBufferSize(rows).ValueOr(0);
  if (open_->group_bytes > options_.row_group_bytes) {
    TRY(from_arrow(open_->writer->NewBufferedRowGroup()));
    open_->group_bytes = 0;
  }
  ASSIGN(const std::int64_t size, from_arrow(open_->out->Tell()));
  if (size >= options_.target_file_bytes) return close();
  return {};
}

Status DataFileWriter::close() {
  TRY(from_arrow(open_->writer->Close()));
  ASSIGN(const std::int64_t size, from_arrow(open_->out->Tell()));
  TRY(from_arrow(open_->out->Close()));
  if (options_.sync) TRY(sync_file(folder_ + "/" + open_->name));
  AddFile file;
  file.path = open_->name;
  file.size_bytes = size;
  file.modified_ms = now_ms();
  file.stats = open_->statistics.to_json();
  done_.push_back(std::move(file));
  open_.reset();
  return {};
}

Result<std::vector<AddFile>> DataFileWriter::finish() {
  if (open_) TRY(close());
  if (options_.sync && !done_.empty()) TRY(sync_folder(folder_));
  return std::exchange(done_, {});
}

Result<Batch> align(const Batch& rows, const Schema& schema) {
  arrow::ArrayVector columns;
  for (const Field& field : schema->fields()) {
    Array column = rows->GetColumnByName(field->name());
    if (column) {
      ASSIGN(column, as_type(column, field));
    } else {
      ASSIGN(column, from_arrow(arrow::MakeArrayOfNull(field->type(), rows->num_rows())));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, rows->num_rows(), std::move(columns));
}

namespace {

Result<std::unique_ptr<parquet::arrow::FileReader>> open_reader(const std::string& path) try {
  ASSIGN(auto file, from_arrow(arrow::io::ReadableFile::Open(path)));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(kReadRows);
  // Spark writes timestamps so: nanoseconds would end in 2262.
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  parquet::arrow::FileReaderBuilder builder;
  TRY(from_arrow(builder.Open(file)));
  return from_arrow(builder.properties(properties)->Build());
} catch (const std::exception& failed) {
  return error(Code::kDataLoss, failed.what());
}

std::vector<int> leaves_of(const parquet::arrow::FileReader& reader, const Schema& schema) {
  const parquet::SchemaDescriptor* descriptor = reader.parquet_reader()->metadata()->schema();
  std::vector<int> leaves;
  for (int i = 0; i < descriptor->num_columns(); ++i) {
    if (schema->GetFieldByName(descriptor->GetColumnRoot(i)->name())) leaves.push_back(i);
  }
  return leaves;
}

Result<Batch> to_schema(const Batch& read, const Schema& schema) {
  arrow::ArrayVector columns;
  for (const Field& field : schema->fields()) {
    Array column = read->GetColumnByName(field->name());
    if (column) {
      ASSIGN(column, read_as(column, field));
    } else {
      ASSIGN(column, from_arrow(arrow::MakeArrayOfNull(field->type(), read->num_rows())));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, read->num_rows(), std::move(columns));
}

}  // namespace

std::string data_path(const std::string& folder, std::string_view logged) {
  std::string path;
  for (std::size_t i = 0; i < logged.size(); ++i) {
    const bool escaped = logged[i] == '%' && i + 2 < logged.size() &&
                         std::isxdigit(static_cast<unsigned char>(logged[i + 1])) != 0 &&
                         std::isxdigit(static_cast<unsigned char>(logged[i + 2])) != 0;
    path += escaped
                ? static_cast<char>(std::stoi(std::string(logged.substr(i + 1, 2)), nullptr, 16))
                : logged[i];
    if (escaped) i += 2;
  }
  return path.starts_with('/') ? path : folder + "/" + path;
}

Result<bool> read_data_file(const std::string& path, const Schema& schema,
                            const std::function<Result<bool>(Batch)>& visit) {
  auto reader = open_reader(path);
  if (!reader) return std::unexpected(reader.error().in(path));
  std::vector<int> groups((*reader)->num_row_groups());
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
  ASSIGN(auto batches,
         from_arrow((*reader)->GetRecordBatchReader(groups, leaves_of(**reader, schema))));
  while (true) {
    auto next = from_arrow(batches->Next());
    if (!next) return error(Code::kDataLoss, fmt::format("{}: {}", path, next.error().what));
    const Batch& read = *next;
    if (!read) return true;
    ASSIGN(Batch rows, to_schema(read, schema));
    ASSIGN(const bool more, visit(std::move(rows)));
    if (!more) return false;
  }
}

}  // namespace tailrace::lake
