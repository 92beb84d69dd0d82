// Opening, staging and committing; retractions are in retract.cc, upkeep in upkeep.cc.
#include "lake/delta_table.h"

#include <fmt/format.h>

#include "base/log.h"
#include "columns/row_codec.h"
#include "columns/widening.h"
#include "lake/checkpoint.h"
#include "lake/disk.h"
#include "lake/metrics.h"
#include "lake/pending.h"
#include "lake/schema_json.h"

namespace tailrace::lake {

std::string Prepared::to_text() const {
  return lake::to_text(actions);
}

Result<Prepared> Prepared::from_text(std::string_view text) {
  ASSIGN(Actions actions, actions_from_text(text));
  if (actions.txns.size() != 1)
    return error(Code::kDataLoss, "a prepared commit has exactly one txn");
  CommitInfo info{actions.txns[0].app_id, actions.txns[0].version, actions.operation};
  return Prepared{std::move(info), std::move(actions)};
}

DeltaTable::DeltaTable(std::string folder, TableOptions options)
    : folder_(std::move(folder)),
      options_(options),
      pending_(std::make_unique<Pending>()),
      metrics_(metrics_of(folder_)) {}

DeltaTable::~DeltaTable() = default;

Result<std::unique_ptr<DeltaTable>> DeltaTable::open(std::string folder, TableOptions options) {
  std::unique_ptr<DeltaTable> table(new DeltaTable(std::move(folder), options));
  ASSIGN(const auto now, table->snapshot());
  if (!now->metadata.partition_columns.empty()) {
    return error(Code::kUnimplemented,
                 table->folder_ + ": partitioned Delta tables are not supported yet");
  }
  table->schema_ = now->schema;
  return table;
}

Result<std::unique_ptr<DeltaTable>> DeltaTable::open_or_create(std::string folder, Schema schema,
                                                               TableOptions options) {
  auto table = open(folder, options);
  if (!table && table.error().code == Code::kNotFound) {
    std::unique_ptr<DeltaTable> created(new DeltaTable(folder, options));
    TRY(created->create(schema));
    table = open(folder, options);
  }
  if (!table) return std::unexpected(table.error());
  TRY((*table)->adopt(schema));
  return table;
}

Status DeltaTable::create(const Schema& schema) {
  TRY(make_folder(log_folder()));
  Actions actions;
  actions.operation = "CREATE TABLE";
  actions.timestamp_ms = now_ms();
  Metadata metadata;
  metadata.id = random_uuid();
  metadata.created_ms = actions.timestamp_ms;
  ASSIGN(metadata.schema_string, schema_to_json(*schema));
  actions.metadata = std::move(metadata);
  actions.protocol = has_timestamp_ntz(*schema) ? Protocol{3, 7, {"timestampNtz"}} : Protocol{};
  // Another creator may win: its table is then opened.
  ASSIGN([[maybe_unused]] const bool ours,
         put_if_absent(log_folder(), commit_name(0), to_text(actions), options_.files.sync));
  return {};
}

namespace {

/// Whether values of the one read as the other by missing fields alone: readers of Delta need not
/// know of it. A number that became wider asks for a table feature that few readers have.
bool keeps_leaves(const arrow::DataType& before, const arrow::DataType& after) {
  if (before.id() != after.id()) return false;
  if (before.num_fields() == 0) return before.Equals(after);
  if (before.id() != arrow::Type::STRUCT) {
    for (int i = 0; i < before.num_fields(); ++i)
      if (!keeps_leaves(*before.field(i)->type(), *after.field(i)->type())) return false;
    return true;
  }
  for (const Field& field : before.fields()) {
    const auto other = static_cast<const arrow::StructType&>(after).GetFieldByName(field->name());
    if (!other || !keeps_leaves(*field->type(), *other->type())) return false;
  }
  return true;
}

}  // namespace

Status DeltaTable::adopt(const Schema& wanted) {
  arrow::FieldVector fields = schema_->fields();
  for (const Field& field : wanted->fields()) {
    const int place = schema_->GetFieldIndex(field->name());
    if (place < 0) {
      fields.push_back(field->WithNullable(true));
      continue;
    }
    const Field before = schema_->field(place);
    if (spark_name(*before->type()) == spark_name(*field->type())) continue;
    const auto wide = widened_type(before->type(), field->type());
    if (!wide || spark_name(**wide) != spark_name(*field->type()))
      return error(Code::kFailedPrecondition,
                   fmt::format("Delta table {}: column {} is {} and cannot become {}; use another "
                               "name or remove the table",
                               folder_, field->name(), spark_name(*before->type()),
                               spark_name(*field->type())));
    fields[static_cast<std::size_t>(place)] = before->WithType(field->type());
    restate_ = restate_ || !keeps_leaves(*before->type(), *field->type());
  }
  for (const Field& field : schema_->fields()) {
    if (wanted->GetFieldByName(field->name())) continue;
    return error(Code::kFailedPrecondition,
                 fmt::format("Delta table {} has a column {} that is no longer asked for; remove "
                             "the table to drop it",
                             folder_, field->name()));
  }
  const Schema grown = arrow::schema(std::move(fields));
  if (grown->Equals(*schema_, false)) return {};
  schema_ = grown;
  if (has_timestamp_ntz(*schema_) && snapshot_->protocol.reader < 3) {
    return error(Code::kUnimplemented,
                 folder_ + ": a TIMESTAMP_NTZ column cannot be added to an older Delta table yet");
  }
  new_metadata_ = snapshot_->metadata;
  ASSIGN(new_metadata_->schema_string, schema_to_json(*schema_));
  return {};
}

std::string DeltaTable::data_path(const std::string& logged) const {
  return lake::data_path(folder_, logged);
}

Result<std::shared_ptr<const Snapshot>> DeltaTable::snapshot() {
  const std::lock_guard lock(mutex_);
  const auto before = snapshot_;
  ASSIGN(snapshot_, read_snapshot(log_folder(), snapshot_));
  if (!before || before->version != snapshot_->version) {
    metrics_->files = snapshot_->files.size();
    metrics_->bytes = static_cast<std::uint64_t>(snapshot_->size_bytes());
  }
  return snapshot_;
}

Result<std::optional<std::int64_t>> DeltaTable::last_txn(const std::string& app_id) {
  ASSIGN(const auto now, snapshot());
  const auto at = now->txns.find(app_id);
  if (at == now->txns.end()) return std::nullopt;
  return at->second.version;
}

DataFileWriter& DeltaTable::writer() {
  if (!writer_) writer_ = std::make_unique<DataFileWriter>(folder_, schema_, options_.files);
  return *writer_;
}

Status DeltaTable::stage(const Batch& rows) {
  ASSIGN(const Batch aligned, align(rows, schema_));
  return writer().write(*aligned);
}

Status DeltaTable::apply(const Delta& delta) {
  if (delta.empty()) return {};
  bool once_each = delta.only_inserts();
  for (const Weight weight : delta.weights) once_each = once_each && weight == 1;
  if (once_each && pending_->empty() && delta.size() >= options_.direct_rows)
    return stage(delta.rows);
  ASSIGN(const Batch rows, align(delta.rows, schema_));
  ASSIGN(const EncodedRows encoded, encode_rows(*rows));
  for (std::int64_t row = 0; row < encoded.size(); ++row)
    pending_->add(encoded[row], delta.weight(row));
  if (pending_->bytes() > options_.pending_bytes) return pending_->write_inserts(schema_, writer());
  return {};
}

Result<Prepared> DeltaTable::prepare(CommitInfo info) {
  Prepared prepared;
  Actions& actions = prepared.actions;
  const auto fill = [&]() -> Status {
    if (restate_) TRY(restate(actions.removes));
    TRY(pending_->write_inserts(schema_, writer()));
    ASSIGN(actions.adds, writer().finish());
    if (!pending_->empty()) TRY(take_out(actions.adds, actions.removes));
    return {};
  };
  if (auto filled = fill(); !filled) {
    discard();
    return std::unexpected(filled.error().in(folder_));
  }
  actions.metadata = std::exchange(new_metadata_, std::nullopt);
  restate_ = false;
  actions.operation = actions.removes.empty() ? info.operation : "MERGE";
  actions.timestamp_ms = now_ms();
  actions.txns = {{info.app_id, info.version, actions.timestamp_ms}};
  for (const AddFile& file : actions.adds) unpublished_.push_back(file.path);
  prepared.info = std::move(info);
  return prepared;
}

Status DeltaTable::restate(std::vector<RemoveFile>& removes) {
  if (!unpublished_.empty())
    return error(Code::kFailedPrecondition,
                 "a column's type changes while a prepared commit is not published yet");
  ASSIGN(const auto now, snapshot());
  for (const auto& [path, file] : now->files) {
    const auto copy = [&](const Batch& rows) -> Result<bool> {
      TRY(writer().write(*rows));
      return true;
    };
    TRY(read_data_file(data_path(path), schema_, copy));
    removes.push_back({path, now_ms(), true, file.partition_values, file.size_bytes});
  }
  return {};
}

void DeltaTable::discard() {
  writer_.reset();
  pending_->clear();
  for (const std::string& path : unpublished_) remove_quietly(data_path(path));
  unpublished_.clear();
}

Result<Version> DeltaTable::publish(const Prepared& prepared) {
  if (prepared.empty()) {
    ASSIGN(const auto now, snapshot());
    return now->version;
  }
  ASSIGN(const Version version, commit_actions(prepared.actions, prepared.info));
  for (const AddFile& file : prepared.actions.adds) std::erase(unpublished_, file.path);
  return version;
}

Result<Version> DeltaTable::commit(CommitInfo info) {
  ASSIGN(const Prepared prepared, prepare(std::move(info)));
  return publish(prepared);
}

Result<Version> DeltaTable::commit_actions(Actions actions, const std::optional<CommitInfo>& info) {
  auto committed = try_to_commit(actions, info);
  if (!committed) metrics_->failed_commits.add();
  return committed;
}

void DeltaTable::count(const Actions& actions) const {
  metrics_->commits.add();
  metrics_->added_files.add(actions.adds.size());
  for (const AddFile& file : actions.adds)
    metrics_->added_bytes.add(static_cast<std::uint64_t>(file.size_bytes));
  metrics_->last_commit_ms = now_ms();
}

Result<Version> DeltaTable::try_to_commit(const Actions& actions,
                                          const std::optional<CommitInfo>& info) {
  const std::string text = to_text(actions);
  ASSIGN(auto now, snapshot());
  const std::string schema_before = now->metadata.schema_string;
  while (true) {
    if (info) {
      const auto done = now->txns.find(info->app_id);
      if (done != now->txns.end() && done->second.version >= info->version) return now->version;
    }
    if (now->metadata.schema_string != schema_before) {
      return error(Code::kAborted,
                   folder_ + ": another program changed the Delta table's schema meanwhile");
    }
    for (const RemoveFile& file : actions.removes) {
      if (now->files.contains(file.path)) continue;
      return error(Code::kAborted,
                   fmt::format("{}: another program rewrote {} meanwhile", folder_, file.path));
    }
    ASSIGN(const bool ours, put_if_absent(log_folder(), commit_name(now->version + 1), text,
                                          options_.files.sync, options_.files.room.get()));
    ASSIGN(now, snapshot());
    if (!ours) continue;
    count(actions);
    checkpoint_if_due(*now);
    return now->version;
  }
}

void DeltaTable::checkpoint_if_due(const Snapshot& now) const {
  if (now.version == 0 || now.version % options_.checkpoint_every != 0) return;
  // The log holds everything without it: a failure costs time at the next opening, no data.
  if (auto written = write_checkpoint(log_folder(), now, options_.files.sync); !written) {
    LOG(warn, "{}: no checkpoint at version {}: {}", folder_, now.version, written.error().what);
  }
}

Status DeltaTable::scan(const std::vector<std::string>& columns,
                        const std::function<Result<bool>(Batch)>& visit) {
  ASSIGN(const auto now, snapshot());
  Schema wanted = schema_;
  if (!columns.empty()) {
    arrow::FieldVector fields;
    for (const std::string& name : columns) {
      fields.push_back(schema_->GetFieldByName(name));
      if (!fields.back())
        return error(Code::kInvalidArgument, fmt::format("{}: no column {}", folder_, name));
    }
    wanted = arrow::schema(std::move(fields));
  }
  for (const auto& [path, file] : now->files) {
    ASSIGN(const bool more, read_data_file(data_path(path), wanted, visit));
    if (!more) break;
  }
  return {};
}

}  // namespace tailrace::lake
