#include "pipeline/table_output.h"

#include <arrow/util/byte_size.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"

namespace tailrace::pipeline {

Result<std::unique_ptr<TableOutput>> TableOutput::open(const Table& table, const std::string& data,
                                                       const Project& project,
                                                       table::Catalogue& catalogue,
                                                       LakeWriter& writer, ServingSink* sink,
                                                       bool again) {
  std::unique_ptr<TableOutput> output(
      new TableOutput("tailrace:" + project.name + ":" + table.name, table.streaming, writer));
  const std::string folder = data + "/lake/" + table.name;
  if (again) {
    std::error_code failed;
    std::filesystem::remove_all(folder, failed);
    if (failed) return error(Code::kUnavailable, folder + ": " + failed.message());
  }
  lake::TableOptions options;
  options.compact_under_bytes = project.upkeep.compact_under_bytes;
  options.files.room = writer.room();
  ASSIGN(output->lake_, lake::DeltaTable::open_or_create(folder, table.schema, options));
  ASSIGN(output->served_, ServedOutput::open(table, project, catalogue, sink, again));
  return output;
}

Status TableOutput::accept(Delta delta, kv::WriteBatch& batch, std::string_view noted,
                           std::span<const engine::KeptNote> notes) {
  TRY(served_.accept(delta, batch, noted, notes));
  if (delta.empty()) return {};
  for (std::int64_t i = 0; i < delta.size(); ++i) rows_ += delta.weight(i);
  const std::int64_t bytes = arrow::util::ReferencedBufferSize(*delta.rows).ValueOr(0);
  // A join gives a row that is there twice once, with the weight 2.
  const bool as_they_come =
      streaming_ && std::ranges::all_of(delta.weights, [](Weight weight) { return weight == 1; });
  writer_.post(
      [this, as_they_come, delta = std::move(delta)] {
        return as_they_come ? lake_->stage(delta.rows) : lake_->apply(delta);
      },
      bytes);
  return {};
}

void TableOutput::begin_prepare(std::int64_t checkpoint) {
  writer_.post([this, checkpoint]() -> Status {
    ASSIGN(prepared_,
           lake_->prepare(
               {.app_id = app_id_, .version = checkpoint, .operation = "STREAMING UPDATE"}));
    return {};
  });
}

void TableOutput::publish(const telemetry::SpanContext& checkpoint) {
  writer_.post([this, checkpoint]() -> Status {
    const lake::Prepared prepared = std::exchange(prepared_, {});
    if (prepared.empty()) return {};
    TRY(publish_traced(prepared, checkpoint));
    auto joined = lake_->compact();
    if (!joined)
      LOG(warn, "{}: small files could not be joined: {}", lake_->folder(), joined.error().what);
    return {};
  });
}

Status TableOutput::publish_traced(const lake::Prepared& prepared,
                                   const telemetry::SpanContext& checkpoint) {
  telemetry::Span span;
  if (checkpoint.valid()) {
    const std::string table = std::filesystem::path(lake_->folder()).filename().string();
    span = telemetry::begin("commit " + table, telemetry::SpanKind::kInternal, checkpoint);
    span.set("tailrace.hop", "lake");
    span.set("tailrace.table", table);
  }
  const auto published = lake_->publish(prepared);
  if (published) return {};
  span.fail(published.error().what);
  return std::unexpected(published.error());
}

void TableOutput::publish(const std::string& commit) {
  writer_.post([this, commit]() -> Status {
    ASSIGN(const auto prepared, lake::Prepared::from_text(commit));
    TRY(lake_->publish(prepared));
    return {};
  });
}

void TableOutput::vacuum(std::chrono::milliseconds after) {
  writer_.post([this, after]() -> Status {
    const auto removed = lake_->vacuum(after);
    if (!removed)
      LOG(warn, "{}: old files could not be deleted: {}", lake_->folder(), removed.error().what);
    return {};
  });
}

Status TableOutput::scan_lake(const std::function<Status(const Batch&)>& visit) const {
  return lake_->scan({}, [&](Batch rows) -> Result<bool> {
    TRY(visit(rows));
    return true;
  });
}

}  // namespace tailrace::pipeline
