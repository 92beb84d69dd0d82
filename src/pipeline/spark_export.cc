#include "pipeline/spark_export.h"

#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>

#include <filesystem>
#include <fstream>

#include "lake/disk.h"
#include "pipeline/topic_reader.h"
#include "rt/file.h"

namespace tailrace::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFileRecords = 100'000;

std::string file_name(const std::string& topic, std::int64_t sequence) {
  return fmt::format("{}-{:020}.parquet", topic, sequence);
}

Status write_exported(const fs::path& path, const Exported& exported) {
  std::string text = std::to_string(exported.files);
  for (const Offset offset : exported.positions) text += ' ' + std::to_string(offset.value);
  text += fmt::format("\nrecords {}\n", exported.records);
  return rt::write_atomically(rt::posix_files(), path.string(), text);
}

Status write_parquet(const fs::path& path, const arrow::Table& table) {
  // Spark's file source skips names that begin with a dot.
  const fs::path part = path.parent_path() / ("." + path.filename().string() + ".part");
  ASSIGN(auto out, from_arrow(arrow::io::FileOutputStream::Open(part.string())));
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
  TRY(from_arrow(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), out, kFileRecords,
                                            properties)));
  TRY(from_arrow(out->Close()));
  TRY(lake::sync_file(part.string()));
  std::error_code failed;
  fs::rename(part, path, failed);
  if (failed)
    return error(Code::kUnavailable, "cannot write " + path.string() + ": " + failed.message());
  return lake::sync_folder(path.parent_path().string());
}

/// One file of the next records; their number. A file that a crash left without its positions is
/// written over.
Result<std::int64_t> export_file(TopicReader& reader, const fs::path& folder, Exported& exported) {
  std::vector<Batch> batches;
  std::int64_t records = 0;
  while (records < kFileRecords) {
    ASSIGN(TopicStep step, reader.read(kFileRecords - records));
    if (!step.waits.empty()) return error(Code::kUnavailable, step.waits);
    if (step.records == 0) break;
    records += step.records;
    batches.push_back(std::move(step.delta.rows));
  }
  if (records == 0) return 0;
  ASSIGN(auto table,
         from_arrow(arrow::Table::FromRecordBatches(reader.relation().schema(), batches)));
  TRY(write_parquet(folder / file_name(reader.relation().topic, exported.files), *table));
  ++exported.files;
  exported.records += records;
  exported.positions = reader.positions();
  return records;
}

/// How far `opened` begins beyond `exported`: retention has moved the start of the log.
std::int64_t removed_between(const Positions& exported, const Positions& opened) {
  std::int64_t removed = 0;
  for (std::size_t i = 0; i < opened.size(); ++i)
    removed += opened[i].value - (i < exported.size() ? exported[i].value : 0);
  return removed;
}

Result<TopicExport> export_topic(log::Log& log, const TopicSpec& topic, const TopicTypePtr& type,
                                 subjects::SchemaClient* schemas, const fs::path& folder) {
  const fs::path positions = folder / (topic.name + ".positions");
  std::error_code failed;
  fs::create_directories(folder / topic.name, failed);
  if (failed)
    return error(Code::kUnavailable, "cannot make " + folder.string() + ": " + failed.message());
  ASSIGN(Exported exported, read_exported(folder.parent_path().string(), topic.name));
  TopicExport made{.topic = topic.name};
  // As raw bytes: what is not JSON is exported too, and Spark sets it apart.
  TopicRelation relation{.relation = topic.relation, .topic = topic.name};
  relation.type = type;
  std::optional<ValueReading> values;
  if (type) values = ValueReading{.type = type, .schemas = schemas, .follow = false};
  ASSIGN(auto reader,
         TopicReader::open(log, std::move(relation), exported.positions, std::move(values)));
  made.removed = removed_between(exported.positions, reader.positions());
  while (true) {
    ASSIGN(const std::int64_t written, export_file(reader, folder / topic.name, exported));
    if (written == 0) return made;
    made.records += written;
    // What is exported is not asked of the log again: the log must have it, too.
    TRY(log.sync());
    TRY(write_exported(positions, exported));
  }
}

}  // namespace

Result<Exported> read_exported(const std::string& folder, const std::string& topic) {
  const fs::path path = fs::path(folder) / "topics" / (topic + ".positions");
  Exported made;
  std::ifstream in(path);
  if (!in) return made;
  if (!(in >> made.files) || made.files < 0)
    return error(Code::kDataLoss, path.string() + " is damaged; remove it");
  for (std::int64_t offset; in >> offset;) made.positions.push_back(Offset(offset));
  in.clear();
  if (std::string word; in >> word && word == "records") in >> made.records;
  return made;
}

Result<std::vector<TopicExport>> export_topics(log::Log& log, const Project& project,
                                               const std::string& folder, const TopicTypes& types,
                                               subjects::SchemaClient* schemas) {
  std::vector<TopicExport> made;
  for (const TopicSpec& topic : project.topics) {
    const auto type = types.find(topic.name);
    ASSIGN(made.emplace_back(),
           export_topic(log, topic, type == types.end() ? nullptr : type->second, schemas,
                        fs::path(folder) / "topics"));
  }
  return made;
}

}  // namespace tailrace::pipeline
