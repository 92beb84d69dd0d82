// The served tables and the dead letters after what Spark has changed.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/log.h"
#include "lake/data_file.h"
#include "pipeline/names.h"
#include "pipeline/rejected_topic.h"
#include "pipeline/sink_patience.h"
#include "spark/spark_runner.h"
#include "table/json.h"

namespace tailrace::spark {
namespace {

/// Rows that are served are written when so much has come together; less is seen at once.
constexpr std::size_t kBatchBytes = 16 << 20;
/// Of the hashes of rows, where files left a table.
constexpr std::size_t kDifferenceBytes = 64 << 20;

/// What Spark keeps otherwise than the SQL says; empty: nothing.
std::string differing_column(const Schema& ours, const Schema& theirs) {
  for (const Field& field : ours->fields()) {
    const Field there = theirs->GetFieldByName(field->name());
    if (!there) return fmt::format("Spark's table has no column `{}`", field->name());
    if (!there->type()->Equals(*field->type()))
      return fmt::format("column `{}` is {} in Spark's table, and {} here", field->name(),
                         spark_name(*there->type()), spark_name(*field->type()));
  }
  return "";
}

std::string text_at(const arrow::RecordBatch& rows, const char* column, std::int64_t row) {
  const Array values = rows.GetColumnByName(column);
  if (!values || values->type_id() != arrow::Type::STRING || values->IsNull(row)) return "";
  return std::string(static_cast<const arrow::StringArray&>(*values).GetView(row));
}

std::vector<std::string> names_in(const std::string& reason) {
  std::vector<std::string> names;
  for (std::size_t from = 0; from < reason.size();) {
    const std::size_t end = std::min(reason.find(", ", from), reason.size());
    names.push_back(reason.substr(from, end - from));
    from = end + 2;
  }
  return names;
}

Batch without_column(const Batch& rows, const char* name) {
  const int at = rows->schema()->GetFieldIndex(name);
  if (at < 0) return rows;
  auto removed = rows->RemoveColumn(at);
  return removed.ok() ? *removed : rows;
}

/// Rows that came, file by file, or what files have that others had not.
Status changed_rows(const FilesChanged& paths, const Schema& schema,
                    const std::function<Status(Delta)>& take) {
  if (!paths.removed.empty()) return difference(paths, schema, kDifferenceBytes, take);
  const auto read = [&take](Batch rows) -> Result<bool> {
    Delta delta;
    delta.rows = std::move(rows);
    TRY(take(std::move(delta)));
    return true;
  };
  for (const std::string& path : paths.added) TRY(lake::read_data_file(path, schema, read));
  return {};
}

}  // namespace

Status SparkRunner::follow() {
  kv::WriteBatch batch;
  for (std::size_t i = 0; i < tables_.size(); ++i) TRY(follow_table(i, batch));
  for (Rejects& rejects : rejects_) TRY(follow_rejects(rejects, batch));
  if (!batch.empty()) TRY(write(batch));
  follow_due_ = false;
  publish_counts();
  const std::lock_guard lock(mutex_);
  shown_positions_ = updated_.positions;
  return {};
}

Status SparkRunner::follow_table(std::size_t i, kv::WriteBatch& batch) {
  FollowedTable& followed = *tables_[i];
  const pipeline::Table& table = graph_.tables[i];
  ASSIGN(auto change, followed.look());
  if (!change) return {};
  const std::string differs = differing_column(table.schema, change->schema);
  {
    const std::lock_guard lock(mutex_);
    table_failed_[i] = differs;
  }
  if (!differs.empty()) {
    LOG_OF(error, log_of("table", table.name), "table {} is not followed: {}", table.name, differs);
    return {};
  }
  if (outputs_[i].tables().empty()) {
    followed.take(*change, batch);
    return {};
  }
  if (change->lost) TRY(begin_again(i, *change, batch));
  const std::string key = "F" + pipeline::lower(table.name);
  bool in_part = false;
  const auto take = [&](const Delta& delta) -> Status {
    TRY(outputs_[i].accept(delta, batch));
    leave_null_keys(i, delta, batch);
    if (batch.size_bytes() < kBatchBytes) return {};
    if (!in_part) batch.put(key, "in part");
    in_part = true;
    return flush(batch);
  };
  TRY(changed_rows(change->paths, table.schema, take));
  followed.take(*change, batch);
  if (in_part) batch.put(key, table.schema->ToString());
  return {};
}

Status SparkRunner::begin_again(std::size_t i, FollowedTable::Change& change,
                                kv::WriteBatch& batch) {
  const pipeline::Table& table = graph_.tables[i];
  LOG_OF(warn, log_of("table", table.name),
         "table {}: files of the version before are gone, it is served again from all its rows",
         table.name);
  if (!batch.empty()) TRY(write(batch));
  {
    const std::unique_lock alone(shape_);
    ASSIGN(outputs_[i], pipeline::ServedOutput::open(table, project_, *catalogue_, sink_, true));
  }
  if (served_changed_) served_changed_();
  tables_[i]->forget(batch);
  ASSIGN(auto whole, tables_[i]->look());
  if (whole) change = std::move(*whole);
  if (!sink_) return {};
  std::vector<std::shared_ptr<const table::KeyedTable>> served;
  for (const auto& output : outputs_)
    served.insert(served.end(), output.tables().begin(), output.tables().end());
  TRY(write(batch));
  TRY(sink_->set_tables(std::move(served)));
  return pipeline::load_sink_once(*sink_,
                                  [this](const std::stop_token& s) { return sink_ready(s); });
}

// Two rows with a null key are not one row: pipeline/served_output.cc leaves them out.
void SparkRunner::leave_null_keys(std::size_t i, const Delta& delta, kv::WriteBatch& batch) {
  const pipeline::Table& table = graph_.tables[i];
  if (!table.streaming || delta.empty()) return;
  std::map<std::int64_t, std::vector<std::string>> left_out;  // by row, the servings without it
  for (const pipeline::ServingSpec& serving : project_.serving)
    if (pipeline::same_name(serving.table, table.name))
      for (const std::int64_t row : pipeline::null_key_rows(*delta.rows, serving.key))
        if (delta.weight(row) > 0) left_out[row].push_back("`" + serving.name + "`");
  for (const auto& [at, servings] : left_out) {
    const Batch row = delta.rows->Slice(at, 1);
    pipeline::DeadLetter letter;
    letter.flow = table.name;
    letter.reason = "null key";
    letter.detail =
        fmt::format("the row is in `{}`, but not served as {}: a column of the key is null",
                    table.name, fmt::join(servings, ", "));
    letter.time_ms = clock_.now().value;
    letter.bytes = table::row_to_json(*row, 0);
    place_letter(i, *row, letter);
    letters_->add(std::move(letter), batch);
  }
}

void SparkRunner::place_letter(std::size_t table, const arrow::RecordBatch& row,
                               pipeline::DeadLetter& letter) const {
  letter.origin = "table " + graph_.tables[table].name;
  for (const pipeline::Flow& flow : graph_.flows) {
    if (flow.table != static_cast<int>(table)) continue;
    const auto place = pipeline::record_of(flow, row);
    if (!place) continue;
    letter.topic = graph_.topics[static_cast<std::size_t>(place->topic)].topic;
    letter.partition = place->partition;
    letter.offset = place->offset;
    letter.origin = fmt::format("{}-{}@{}", letter.topic, letter.partition, letter.offset);
    if (auto record = pipeline::record_at(log_, letter.topic, letter.partition, letter.offset))
      letter.bytes = std::move(record->value);
    return;
  }
}

// A file's letters and the note that it is taken are one write.
Status SparkRunner::follow_rejects(Rejects& rejects, kv::WriteBatch& batch) {
  ASSIGN(auto change, rejects.followed->look());
  if (!change) return {};
  if (change->lost) {  // their letters are there already
    rejects.followed->take(*change, batch);
    return {};
  }
  TRY(changed_rows(change->paths, change->schema,
                   [&](const Delta& rows) { return take_rejects(rejects, rows, batch); }));
  rejects.followed->take(*change, batch);
  return batch.size_bytes() < kBatchBytes ? Status() : flush(batch);
}

Status SparkRunner::take_rejects(const Rejects& rejects, const Delta& rows, kv::WriteBatch& batch) {
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const Weight weight = rows.weight(i);
    if (!rejects.decode)
      for (const std::string& name : names_in(text_at(*rows.rows, "reason", i)))
        broken_[rejects.flow][name] += weight;
    if (weight > 0) letters_->add(letter_of(rejects, rows.rows->Slice(i, 1)), batch);
  }
  return {};
}

pipeline::DeadLetter SparkRunner::letter_of(const Rejects& rejects, const Batch& row) const {
  pipeline::DeadLetter letter;
  letter.flow = rejects.flow;
  letter.time_ms = clock_.now().value;
  letter.detail = "Spark keeps the row in `" + rejects.followed->name() + "`";
  letter.reason = rejects.decode ? "decode" : "expectation " + text_at(*row, "reason", 0);
  const Batch plain = rejects.decode ? row : without_column(row, "reason");
  letter.bytes = table::row_to_json(*plain, 0);
  if (rejects.table >= 0) {
    place_letter(static_cast<std::size_t>(rejects.table), *plain, letter);
    return letter;
  }
  letter.topic = rejects.flow;
  const auto number = [&](const char* name) -> std::int64_t {
    const Array column = row->GetColumnByName(name);
    if (column && column->type_id() == arrow::Type::INT32)
      return static_cast<const arrow::Int32Array&>(*column).Value(0);
    if (column && column->type_id() == arrow::Type::INT64)
      return static_cast<const arrow::Int64Array&>(*column).Value(0);
    return -1;
  };
  letter.partition = static_cast<std::int32_t>(number("partition"));
  letter.offset = number("offset");
  letter.origin = fmt::format("{}-{}@{}", letter.topic, letter.partition, letter.offset);
  if (auto record = pipeline::record_at(log_, letter.topic, letter.partition, letter.offset))
    letter.bytes = std::move(record->value);
  return letter;
}

}  // namespace tailrace::spark
