#include "pipeline/served_output.h"

#include <algorithm>

#include "columns/widening.h"
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

Status scan_keyed(const table::KeyedTable& keyed, const Schema& schema,
                  const std::function<Status(const Batch&)>& visit) {
  return keyed.scan_all([&](const Batch& rows) -> Result<bool> {
    ASSIGN(const Batch ordered, widened_rows(rows, schema));
    TRY(visit(ordered));
    return true;
  });
}

Result<ServedOutput> ServedOutput::open(const Table& table, const Project& project,
                                        table::Catalogue& catalogue, ServingSink* sink,
                                        bool again) {
  ServedOutput output;
  output.streaming_ = table.streaming;
  output.sink_ = sink;
  for (const ServingSpec& serving : project.serving) {
    if (!same_name(serving.table, table.name)) continue;
    if (again && catalogue.find(serving.name)) TRY(catalogue.drop(serving.name));
    if (again && sink) sink->forget(serving.name);
    ASSIGN(auto keyed, catalogue.create({serving.name, table.schema, serving.key}));
    output.tables_.push_back(std::move(keyed));
  }
  return output;
}

std::shared_ptr<const table::KeyedTable> ServedOutput::find(std::string_view name) const {
  for (const auto& keyed : tables_)
    if (same_name(keyed->schema().name, name)) return keyed;
  return nullptr;
}

Status ServedOutput::accept(const Delta& delta, kv::WriteBatch& batch, std::string_view noted,
                            std::span<const engine::KeptNote> notes) const {
  for (const auto& keyed : tables_) {
    table::KeyedTable::Notes of_keys;
    if (keyed->schema().name == noted) {
      of_keys.reserve(notes.size());
      for (const engine::KeptNote& note : notes) of_keys[note.key] = note.note;
    }
    TRY(serve(*keyed, delta, std::move(of_keys), batch));
  }
  return {};
}

// Two rows whose keys are null are not one row, and the second must not take the first one's place.
// In a view the null of an aggregate's key is a key like any other.
Status ServedOutput::serve(const table::KeyedTable& keyed, const Delta& delta,
                           table::KeyedTable::Notes notes, kv::WriteBatch& batch) const {
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

}  // namespace tailrace::pipeline
