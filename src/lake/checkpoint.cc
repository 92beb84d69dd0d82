// Rows of structs, built and read column by column.
#include "lake/checkpoint.h"

#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <cstdio>
#include <filesystem>

#include "lake/disk.h"

namespace tailrace::lake {
namespace {

constexpr std::int64_t kTombstoneMs = 7LL * 24 * 3600 * 1000;

using Values = std::vector<std::pair<std::string, std::optional<std::string>>>;

Type text_map() {
  return arrow::map(arrow::utf8(), arrow::utf8());
}
Type text_list() {
  return arrow::list(arrow::field("element", arrow::utf8()));
}

Type protocol_type() {
  return arrow::struct_({arrow::field("minReaderVersion", arrow::int32()),
                         arrow::field("minWriterVersion", arrow::int32()),
                         arrow::field("readerFeatures", text_list()),
                         arrow::field("writerFeatures", text_list())});
}
Type metadata_type() {
  const Type format = arrow::struct_(
      {arrow::field("provider", arrow::utf8()), arrow::field("options", text_map())});
  return arrow::struct_(
      {arrow::field("id", arrow::utf8()), arrow::field("name", arrow::utf8()),
       arrow::field("format", format), arrow::field("schemaString", arrow::utf8()),
       arrow::field("partitionColumns", text_list()), arrow::field("configuration", text_map()),
       arrow::field("createdTime", arrow::int64())});
}
Type txn_type() {
  return arrow::struct_({arrow::field("appId", arrow::utf8()),
                         arrow::field("version", arrow::int64()),
                         arrow::field("lastUpdated", arrow::int64())});
}
Type add_type() {
  return arrow::struct_(
      {arrow::field("path", arrow::utf8()), arrow::field("partitionValues", text_map()),
       arrow::field("size", arrow::int64()), arrow::field("modificationTime", arrow::int64()),
       arrow::field("dataChange", arrow::boolean()), arrow::field("stats", arrow::utf8())});
}
Type remove_type() {
  return arrow::struct_(
      {arrow::field("path", arrow::utf8()), arrow::field("deletionTimestamp", arrow::int64()),
       arrow::field("dataChange", arrow::boolean()),
       arrow::field("extendedFileMetadata", arrow::boolean()),
       arrow::field("partitionValues", text_map()), arrow::field("size", arrow::int64())});
}

/// Appends the fields of one action in order; Arrow's errors here are only out of memory, kept for
/// the end.
class ActionRow {
 public:
  ActionRow(arrow::StructBuilder& row, arrow::Status& status) : row_(row), status_(status) {
    status_ &= row.Append();
  }
  ActionRow& text(const std::string& value) {
    status_ &= next<arrow::StringBuilder>().Append(value);
    return *this;
  }
  ActionRow& text_or_null(const std::string& value) {
    if (!value.empty()) return text(value);
    status_ &= row_.field_builder(at_++)->AppendNull();
    return *this;
  }
  ActionRow& number(std::int64_t value) {
    status_ &= next<arrow::Int64Builder>().Append(value);
    return *this;
  }
  ActionRow& small(int value) {
    status_ &= next<arrow::Int32Builder>().Append(value);
    return *this;
  }
  ActionRow& flag(bool value) {
    status_ &= next<arrow::BooleanBuilder>().Append(value);
    return *this;
  }
  ActionRow& map(const Values& values) {
    auto& builder = next<arrow::MapBuilder>();
    status_ &= builder.Append();
    for (const auto& [key, value] : values) {
      auto& items = static_cast<arrow::StringBuilder&>(*builder.item_builder());
      status_ &= static_cast<arrow::StringBuilder&>(*builder.key_builder()).Append(key);
      status_ &= value ? items.Append(*value) : items.AppendNull();
    }
    return *this;
  }
  ActionRow& list(const std::vector<std::string>& values) {
    auto& builder = next<arrow::ListBuilder>();
    status_ &= builder.Append();
    for (const std::string& value : values) {
      status_ &= static_cast<arrow::StringBuilder&>(*builder.value_builder()).Append(value);
    }
    return *this;
  }
  ActionRow& null() {
    status_ &= row_.field_builder(at_++)->AppendNull();
    return *this;
  }
  arrow::StructBuilder& nested() { return next<arrow::StructBuilder>(); }

 private:
  template <typename Builder>
  Builder& next() {
    return static_cast<Builder&>(*row_.field_builder(at_++));
  }
  arrow::StructBuilder& row_;
  arrow::Status& status_;
  int at_ = 0;
};

/// The five columns; each append fills one and leaves the others null.
class CheckpointRows {
 public:
  static Result<Batch> of(const Snapshot& snapshot) {
    CheckpointRows rows;
    rows.protocol(snapshot.protocol);
    rows.metadata(snapshot.metadata);
    for (const auto& [id, txn] : snapshot.txns) {
      rows.begin(2).text(txn.app_id).number(txn.version).number(txn.updated_ms);
    }
    for (const auto& [path, file] : snapshot.files) rows.add(file);
    for (const auto& [path, file] : snapshot.removed) {
      if (file.deleted_ms + kTombstoneMs > now_ms()) rows.remove(file);
    }
    return rows.finish();
  }

 private:
  CheckpointRows() {
    for (const Field& field : schema_->fields())
      builders_.push_back(arrow::MakeBuilder(field->type()).ValueOrDie());
  }
  ActionRow begin(std::size_t column) {
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      if (i != column) status_ &= builders_[i]->AppendNull();
    }
    ++rows_;
    return ActionRow(static_cast<arrow::StructBuilder&>(*builders_[column]), status_);
  }
  void protocol(const Protocol& protocol) {
    ActionRow row = begin(0);
    row.small(protocol.reader).small(protocol.writer);
    if (protocol.reader >= 3) {
      row.list(protocol.features).list(protocol.features);
    } else {
      row.null().null();
    }
  }
  void metadata(const Metadata& metadata) {
    ActionRow row = begin(1);
    row.text(metadata.id).text_or_null(metadata.name);
    ActionRow(row.nested(), status_).text("parquet").map({});
    Values configuration(metadata.configuration.begin(), metadata.configuration.end());
    row.text(metadata.schema_string)
        .list(metadata.partition_columns)
        .map(configuration)
        .number(metadata.created_ms);
  }
  void add(const AddFile& file) {
    begin(3)
        .text(file.path)
        .map(file.partition_values)
        .number(file.size_bytes)
        .number(file.modified_ms)
        .flag(false)
        .text_or_null(file.stats);
  }
  void remove(const RemoveFile& file) {
    begin(4)
        .text(file.path)
        .number(file.deleted_ms)
        .flag(false)
        .flag(true)
        .map(file.partition_values)
        .number(file.size_bytes);
  }
  Result<Batch> finish() {
    TRY(from_arrow(status_));
    arrow::ArrayVector columns(builders_.size());
    for (std::size_t i = 0; i < builders_.size(); ++i)
      TRY(from_arrow(builders_[i]->Finish(&columns[i])));
    return arrow::RecordBatch::Make(schema_, rows_, std::move(columns));
  }

  Schema schema_ =
      arrow::schema({arrow::field("protocol", protocol_type()),
                     arrow::field("metaData", metadata_type()), arrow::field("txn", txn_type()),
                     arrow::field("add", add_type()), arrow::field("remove", remove_type())});
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  arrow::Status status_;
  std::int64_t rows_ = 0;
};

std::string checkpoint_name(Version version) {
  return fmt::format("{:020}.checkpoint.parquet", version);
}

Status write_parquet(const arrow::RecordBatch& rows, const std::string& path) {
  ASSIGN(auto out, from_arrow(arrow::io::FileOutputStream::Open(path)));
  parquet::WriterProperties::Builder properties;
  properties.compression(arrow::Compression::SNAPPY);
  ASSIGN(auto writer, from_arrow(parquet::arrow::FileWriter::Open(
                          *rows.schema(), arrow::default_memory_pool(), out, properties.build())));
  TRY(from_arrow(writer->WriteRecordBatch(rows)));
  TRY(from_arrow(writer->Close()));
  return from_arrow(out->Close());
}

/// One struct column of a checkpoint, whatever its writer's order of fields or width of texts.
class ActionColumn {
 public:
  ActionColumn(const arrow::RecordBatch& rows, const char* name)
      : values_(std::dynamic_pointer_cast<arrow::StructArray>(rows.GetColumnByName(name))) {}

  bool has(std::int64_t row) const { return values_ && !values_->IsNull(row); }
  std::string text(std::int64_t row, const char* field) const {
    return scalar(values_->GetFieldByName(field), row).value_or("");
  }
  std::int64_t number(std::int64_t row, const char* field) const {
    const std::string value = text(row, field);
    return value.empty() ? 0 : std::strtoll(value.c_str(), nullptr, 10);
  }
  Values map(std::int64_t row, const char* field) const {
    Values found;
    const auto maps = std::dynamic_pointer_cast<arrow::MapArray>(values_->GetFieldByName(field));
    if (!maps || maps->IsNull(row)) return found;
    for (std::int64_t i = maps->value_offset(row); i < maps->value_offset(row + 1); ++i) {
      found.emplace_back(scalar(maps->keys(), i).value_or(""), scalar(maps->items(), i));
    }
    return found;
  }
  std::vector<std::string> list(std::int64_t row, const char* field) const {
    std::vector<std::string> found;
    const auto lists = std::dynamic_pointer_cast<arrow::ListArray>(values_->GetFieldByName(field));
    if (!lists || lists->IsNull(row)) return found;
    for (std::int64_t i = lists->value_offset(row); i < lists->value_offset(row + 1); ++i) {
      found.push_back(scalar(lists->values(), i).value_or(""));
    }
    return found;
  }

 private:
  static std::optional<std::string> scalar(const Array& values, std::int64_t row) {
    if (!values || values->IsNull(row)) return std::nullopt;
    const auto value = values->GetScalar(row);
    return value.ok() ? std::optional((*value)->ToString()) : std::nullopt;
  }
  std::shared_ptr<arrow::StructArray> values_;
};

void take_row(const ActionColumn& add, const ActionColumn& remove, std::int64_t row,
              Actions& actions) {
  if (add.has(row)) {
    actions.adds.push_back({add.text(row, "path"), add.map(row, "partitionValues"),
                            add.number(row, "size"), add.number(row, "modificationTime"), false,
                            add.text(row, "stats")});
  }
  if (remove.has(row)) {
    actions.removes.push_back({remove.text(row, "path"), remove.number(row, "deletionTimestamp"),
                               false, remove.map(row, "partitionValues"),
                               remove.number(row, "size")});
  }
}

void take_rows(const arrow::RecordBatch& rows, Actions& actions) {
  const ActionColumn protocol(rows, "protocol");
  const ActionColumn metadata(rows, "metaData");
  const ActionColumn txn(rows, "txn");
  const ActionColumn add(rows, "add");
  const ActionColumn remove(rows, "remove");
  for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
    take_row(add, remove, row, actions);
    if (txn.has(row)) {
      actions.txns.push_back(
          {txn.text(row, "appId"), txn.number(row, "version"), txn.number(row, "lastUpdated")});
    }
    if (protocol.has(row)) {
      actions.protocol = Protocol{static_cast<int>(protocol.number(row, "minReaderVersion")),
                                  static_cast<int>(protocol.number(row, "minWriterVersion")),
                                  protocol.list(row, "writerFeatures")};
    }
    if (!metadata.has(row)) continue;
    Metadata found{metadata.text(row, "id"),
                   metadata.text(row, "name"),
                   metadata.text(row, "schemaString"),
                   metadata.list(row, "partitionColumns"),
                   {},
                   metadata.number(row, "createdTime")};
    for (auto& [key, value] : metadata.map(row, "configuration")) {
      found.configuration.emplace_back(key, value.value_or(""));
    }
    actions.metadata = std::move(found);
  }
}

}  // namespace

Status write_checkpoint(const std::string& log_folder, const Snapshot& snapshot, bool sync) {
  ASSIGN(const Batch rows, CheckpointRows::of(snapshot));
  const std::string path = log_folder + "/" + checkpoint_name(snapshot.version);
  const std::string temporary = log_folder + "/.checkpoint." + random_uuid() + ".tmp";
  Status written = write_parquet(*rows, temporary);
  if (written && sync) written = sync_file(temporary);
  if (written && std::rename(temporary.c_str(), path.c_str()) != 0)
    written = error(Code::kUnavailable, path + ": cannot be renamed");
  if (!written) {
    remove_quietly(temporary);
    return written;
  }
  const std::string hint =
      fmt::format(R"({{"version":{},"size":{}}})", snapshot.version, rows->num_rows());
  remove_quietly(log_folder + "/_last_checkpoint");
  TRY(put_if_absent(log_folder, "_last_checkpoint", hint, sync));
  return {};
}

Result<std::optional<Version>> find_checkpoint(const std::string& log_folder) {
  if (const auto hint = read_file(log_folder + "/_last_checkpoint")) {
    const std::size_t at = hint->find("\"version\":");
    const Version version =
        at == std::string::npos ? -1 : std::strtoll(hint->c_str() + at + 10, nullptr, 10);
    if (version >= 0 && std::filesystem::exists(log_folder + "/" + checkpoint_name(version)))
      return version;
  }
  ASSIGN(const std::vector<FileInfo> files, list_files(log_folder));
  std::optional<Version> newest;
  for (const FileInfo& file : files) {
    const Version version = std::strtoll(file.name.c_str(), nullptr, 10);
    if (file.name == checkpoint_name(version)) newest = std::max(newest.value_or(version), version);
  }
  return newest;
}

namespace {

Result<Actions> read_actions(const std::string& path) try {
  ASSIGN(auto file, from_arrow(arrow::io::ReadableFile::Open(path)));
  parquet::arrow::FileReaderBuilder builder;
  TRY(from_arrow(builder.Open(file)));
  ASSIGN(auto reader, from_arrow(builder.Build()));
  ASSIGN(auto batches, from_arrow(reader->GetRecordBatchReader()));
  Actions actions;
  while (true) {
    ASSIGN(const Batch rows, from_arrow(batches->Next()));
    if (!rows) return actions;
    take_rows(*rows, actions);
  }
} catch (const std::exception& failed) {
  return error(Code::kDataLoss, failed.what());
}

}  // namespace

Result<Actions> read_checkpoint(const std::string& log_folder, Version version) {
  const std::string path = log_folder + "/" + checkpoint_name(version);
  auto actions = read_actions(path);
  if (actions) return actions;
  return error(Code::kDataLoss, fmt::format("{}: {}", path, actions.error().what));
}

}  // namespace tailrace::lake
