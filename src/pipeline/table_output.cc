#include "pipeline/table_output.h"

#include <arrow/util/byte_size.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "engine/rows.h"
#include "pipeline/names.h"

namespace tailrace::pipeline {

std::vector<std::int64_t> null_key_rows(const arrow::RecordBatch& rows,
                                        std::span<const std::string> key) {
  std::vector<Array> columns;
  for (const std::string& name : key)
    if (const Array column = rows.GetColumnByName(name); column && column->null_count() > 0)
      columns.push_back(column);
  std::vector<std::int64_t> found;
  if (columns.empty()) return found;
  for (std::int64_t row = 0; row < rows.num_rows(); ++row)
    if (std::ranges::any_of(columns, [row](const Array& column) { return column->IsNull(row); }))
      found.push_back(row);
  return found;
}

Result<std::unique_ptr<TableOutput>> TableOutput::open(const Table& table, const std::string& data,
                                                       const Project& project,
                                                       table::Catalogue& catalogue,
                                                       LakeWriter& writer, ServingSink* sink,
                                                       bool again) {
  std::unique_ptr<TableOutput> output(new TableOutput("tailrace:" + project.name + ":" + table.name,
                                                      table.streaming, writer, sink));
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
  for (const ServingSpec& serving : project.serving) {
    if (!same_name(serving.table, table.name)) continue;
    if (again && catalogue.find(serving.name)) TRY(catalogue.drop(serving.name));
    if (again && sink) sink->forget(serving.name);
    ASSIGN(auto keyed, catalogue.create({serving.name, table.schema, serving.key}));
    output->served_.push_back(std::move(keyed));
  }
  return output;
}

Status TableOutput::accept(Delta delta, kv::WriteBatch& batch, std::string_view noted,
                           std::span<const engine::KeptNote> notes) {
  for (const auto& keyed : served_) {
    table::KeyedTable::Notes of_keys;
    if (keyed->schema().name == noted) {
      of_keys.reserve(notes.size());
      for (const engine::KeptNote& note : notes) of_keys[note.key] = note.note;
    }
    TRY(serve(*keyed, delta, std::move(of_keys), batch));
  }
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

// Two rows whose keys are null are not one row, and the second must not take the first one's place.
// In a view the null of an aggregate's key is a key like any other.
Status TableOutput::serve(const table::KeyedTable& keyed, const Delta& delta,
                          table::KeyedTable::Notes notes, kv::WriteBatch& batch) {
  Delta whole = delta;
  if (streaming_ && !delta.empty()) {
    const std::vector<std::int64_t> left_out = null_key_rows(*delta.rows, keyed.schema().key);
    if (std::ssize(left_out) == delta.size()) return {};
    if (!left_out.empty()) {
      std::vector<std::int64_t> kept;
      for (std::int64_t row = 0; row < delta.size(); ++row)
        if (!std::ranges::binary_search(left_out, row)) kept.push_back(row);
      ASSIGN(whole, engine::take(delta, kept));
    }
  }
  if (sink_) TRY(sink_->take(keyed, whole));
  return keyed.apply(whole, std::move(notes), batch);
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
