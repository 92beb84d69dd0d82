#include "pipeline/table_output.h"

#include <filesystem>
#include <unordered_map>

#include "base/log.h"
#include "pipeline/names.h"

namespace tailrace::pipeline {
namespace {

/// The sum of several changes: each row once, with its total weight, zeros left out.
Result<Delta> net(const Schema& schema, const std::vector<Delta>& changes) {
  std::unordered_map<std::string, Weight> sum;
  for (const Delta& change : changes) {
    ASSIGN(const EncodedRows rows, encode_rows(*change.rows));
    for (std::int64_t i = 0; i < change.size(); ++i) sum[std::string(rows[i])] += change.weight(i);
  }
  Delta result;
  RowDecoder decoder(schema);
  for (const auto& [row, weight] : sum) {
    if (weight == 0) continue;
    decoder.append(row);
    result.weights.push_back(weight);
  }
  ASSIGN(result.rows, decoder.finish());
  return result;
}

bool all_inserts(const std::vector<Delta>& changes) {
  for (const Delta& change : changes)
    if (!change.only_inserts()) return false;
  return true;
}

}  // namespace

Result<std::unique_ptr<TableOutput>> TableOutput::open(const Table& table, const std::string& data,
                                                       const Project& project,
                                                       table::Catalogue& catalogue,
                                                       LakeWriter& writer, bool again) {
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
  ASSIGN(output->lake_, lake::DeltaTable::open_or_create(folder, table.schema, options));
  for (const ServingSpec& serving : project.serving) {
    if (!same_name(serving.table, table.name)) continue;
    if (again && catalogue.find(serving.name)) TRY(catalogue.drop(serving.name));
    ASSIGN(auto keyed, catalogue.create({serving.name, table.schema, serving.key}));
    output->served_.push_back(std::move(keyed));
  }
  return output;
}

Status TableOutput::accept(Delta delta, kv::WriteBatch& batch) {
  for (const auto& keyed : served_) TRY(keyed->apply(delta, batch));
  for (std::int64_t i = 0; i < delta.size(); ++i) rows_ += delta.weight(i);
  if (streaming_)
    writer_.post([this, rows = delta.rows] { return lake_->stage(rows); });
  else
    pending_.push_back(std::move(delta));
  return {};
}

Status TableOutput::apply_pending(std::vector<Delta> pending) {
  if (all_inserts(pending)) {
    for (const Delta& change : pending) TRY(lake_->apply(change));
    return {};
  }
  ASSIGN(const Delta change, net(lake_->schema(), pending));
  if (change.empty()) return {};
  return lake_->apply(change);
}

void TableOutput::begin_prepare(std::int64_t checkpoint) {
  writer_.post([this, checkpoint, pending = std::exchange(pending_, {})]() mutable -> Status {
    TRY(apply_pending(std::move(pending)));
    ASSIGN(prepared_,
           lake_->prepare(
               {.app_id = app_id_, .version = checkpoint, .operation = "STREAMING UPDATE"}));
    return {};
  });
}

Result<std::string> TableOutput::end_prepare() {
  const lake::Prepared prepared = std::exchange(prepared_, {});
  return prepared.empty() ? std::string() : prepared.to_text();
}

void TableOutput::publish(const std::string& commit) {
  writer_.post([this, commit]() -> Status {
    ASSIGN(const auto prepared, lake::Prepared::from_text(commit));
    TRY(lake_->publish(prepared));
    return {};
  });
}

void TableOutput::compact() {
  writer_.post([this]() -> Status {
    auto joined = lake_->compact();
    if (!joined)
      LOG(warn, "{}: small files could not be joined: {}", lake_->folder(), joined.error().what);
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
