#include "pipeline/topic_reader.h"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "engine/rows.h"
#include "log/find_header.h"
#include "pipeline/rejected_topic.h"

namespace tailrace::pipeline {

namespace {

constexpr std::size_t kReadBytes = 1 << 20;

/// Text in one piece of memory as large as the last step's. Arrow's own builder copies all there is
/// each time it doubles, and once more at its end.
class TextColumn {
 public:
  explicit TextColumn(std::int64_t expected_bytes) {
    status_ = bytes_.Reserve(expected_bytes + expected_bytes / 8);
  }
  void append(const std::optional<std::string_view>& text) {
    status_ &= offsets_.Append(static_cast<std::int32_t>(bytes_.length()));
    status_ &= there_.Append(text.has_value());
    if (text) status_ &= bytes_.Append(text->data(), static_cast<std::int64_t>(text->size()));
  }
  std::int64_t bytes() const { return bytes_.length(); }
  Result<Array> finish() {
    if (!status_.ok()) return arrow_error(status_);
    if (bytes_.length() > std::numeric_limits<std::int32_t>::max())
      return error(Code::kResourceExhausted, "a step's records hold more than 2 GiB");
    const std::int64_t rows = there_.length(), nulls = there_.false_count();
    TRY(from_arrow(offsets_.Append(static_cast<std::int32_t>(bytes_.length()))));
    ASSIGN(auto there, from_arrow(there_.Finish()));
    ASSIGN(auto offsets, from_arrow(offsets_.Finish(false)));
    ASSIGN(auto bytes, from_arrow(bytes_.Finish(false)));
    if (nulls == 0) there = nullptr;
    return std::make_shared<arrow::StringArray>(rows, offsets, bytes, there, nulls);
  }

 private:
  arrow::TypedBufferBuilder<std::int32_t> offsets_;
  arrow::TypedBufferBuilder<bool> there_;
  arrow::BufferBuilder bytes_;
  arrow::Status status_;
};

}  // namespace

namespace {

void note_origin(log::HeaderViews headers, telemetry::Origins& sent_in) {
  std::string_view parent, state;
  for (log::Header header; headers.next(header);) {
    if (header.key == telemetry::kTraceParent) parent = header.value.value_or("");
    if (header.key == telemetry::kTraceState) state = header.value.value_or("");
  }
  if (parent.empty()) return;
  if (const auto context = telemetry::parse_context(parent, state)) sent_in.add(*context);
}

}  // namespace

struct TopicReader::Columns {
  explicit Columns(const Sizes& expected) : key(expected.key), value(expected.value) {}

  TextColumn key, value;
  arrow::Int32Builder partition;
  arrow::Int64Builder offset;
  arrow::TimestampBuilder timestamp{timestamp_type(), arrow::default_memory_pool()};
  arrow::Status status;

  void append(const log::RecordView& record, std::int32_t partition_id) {
    value.append(record.value);
    append_rest(record, partition_id);
  }
  void append_rest(const log::RecordView& record, std::int32_t partition_id) {
    key.append(record.key);
    status &= partition.Append(partition_id);
    status &= offset.Append(record.offset.value);
    status &= timestamp.Append(record.timestamp.value * 1000);
  }

  /// `typed`: the values, where they are no text.
  Result<Batch> finish(const TopicRelation& relation, ValueReader* typed) {
    if (!status.ok()) return arrow_error(status);
    const std::int64_t rows = partition.length();
    ASSIGN(auto topics,
           from_arrow(arrow::MakeArrayFromScalar(arrow::StringScalar(relation.topic), rows)));
    std::shared_ptr<arrow::Array> partitions, offsets, timestamps;
    ASSIGN(const Array keys, key.finish());
    ASSIGN(const Array values, typed ? typed->finish() : value.finish());
    TRY(from_arrow(partition.Finish(&partitions)));
    TRY(from_arrow(offset.Finish(&offsets)));
    TRY(from_arrow(timestamp.Finish(&timestamps)));
    return arrow::RecordBatch::Make(relation.schema(), rows,
                                    {keys, values, topics, partitions, offsets, timestamps});
  }
};

Result<TopicReader> TopicReader::open(log::Log& log, TopicRelation relation, Positions from,
                                      std::optional<ValueReading> values) {
  TopicReader reader;
  if (values) {
    reader.rules_ = subjects::RecordRules::make(
        values->type->latest().rules, subjects::RecordRules::When::kRead, values->type->value());
    for (const std::string& kept : reader.rules_.kept())
      LOG_OF(warn, log_of("topic", relation.topic), "topic {}: {}", relation.topic, kept);
    ASSIGN(auto opened, ValueReader::make(std::move(*values)));
    reader.values_.emplace(std::move(opened));
  }
  reader.log_ = &log;
  const auto topic = log.topic(relation.topic);
  if (!topic) return error(Code::kNotFound, "topic " + relation.topic + " is not in the log");
  from.resize(static_cast<std::size_t>(topic->settings.partitions));
  for (std::size_t i = 0; i < from.size(); ++i) {
    ASSIGN(auto partition,
           log.partition(relation.topic, PartitionId(static_cast<std::int32_t>(i))));
    if (from[i] < partition->log_start()) {
      if (from[i].value > 0)
        LOG_OF(warn, log_of("topic", relation.topic, "partition", i, "offset", from[i].value),
               "{}-{}: records {} to {} were removed by retention before they were read",
               relation.topic, i, from[i].value, partition->log_start().value - 1);
      from[i] = partition->log_start();
    }
    if (const Offset end = partition->next_offset(); from[i] > end) {
      LOG_OF(
          error, log_of("topic", relation.topic, "partition", i, "offset", end.value),
          "{}-{}: the log ends at offset {}, but the tables hold its records up to {}: its files "
          "lost them; new records follow from offset {} on",
          relation.topic, i, end.value, from[i].value - 1, from[i].value);
      TRY(partition->skip_to(from[i]));
    }
    reader.partitions_.push_back(std::move(partition));
  }
  reader.buffers_.resize(from.size());
  // One who stands at the end asks nevertheless: a partition of a Kafka somewhere else is followed
  // from its first read on, whoever writes there.
  for (std::size_t i = 0; i < from.size(); ++i) {
    log::Partition& partition = *reader.partitions_[i];
    if (from[i] == partition.next_offset())
      TRY(partition.read(from[i], kReadBytes, reader.buffers_[i], from[i] + 1));
  }
  reader.positions_ = std::move(from);
  reader.relation_ = std::move(relation);
  if (reader.relation_.json) reader.json_ = std::make_unique<engine::JsonChecker>();
  return reader;
}

std::int64_t TopicReader::lag() const {
  std::int64_t lag = 0;
  for (std::size_t i = 0; i < partitions_.size(); ++i)
    lag += std::max<std::int64_t>(0, partitions_[i]->last_stable_offset() - positions_[i]);
  return lag;
}

void TopicReader::note_age(const log::RecordView& record, TopicStep& step) {
  if (step.oldest_ms == 0 || record.timestamp.value < step.oldest_ms)
    step.oldest_ms = record.timestamp.value;
}

void TopicReader::note(const log::RecordView& record, TopicStep& step) const {
  ++step.records;
  const std::string_view value = record.value.value_or(std::string_view{});
  const std::size_t key_bytes = record.key ? record.key->size() : 0;
  step.bytes += static_cast<std::int64_t>(key_bytes + value.size());
  note_age(record, step);
  if (step.trace) note_origin(record.headers, step.trace->sent_in);
}

DeadLetter TopicReader::reject(const log::RecordView& record, std::size_t partition,
                               std::string detail) const {
  DeadLetter letter;
  letter.flow = relation_.topic;
  letter.reason = "decode";
  letter.detail = std::move(detail);
  letter.topic = relation_.topic;
  letter.partition = static_cast<std::int32_t>(partition);
  letter.offset = record.offset.value;
  letter.origin = fmt::format("{}-{}@{}", relation_.topic, partition, record.offset.value);
  letter.bytes = record.value.value_or(std::string_view{});
  return letter;
}

void TopicReader::take(const log::RecordView& record, std::size_t partition, Columns& columns,
                       TopicStep& step) {
  if (values_) {
    gathered_.push_back(record);
    return;
  }
  note(record, step);
  if (json_ && record.value) {
    if (const auto fault = json_->check(*record.value)) {
      step.rejected.push_back(
          reject(record, partition,
                 fmt::format("not a JSON document: {} at byte {}", fault->what, fault->byte)));
      return;
    }
  }
  columns.append(record, static_cast<std::int32_t>(partition));
}

Status TopicReader::take_gathered(std::size_t partition, Columns& columns, TopicStep& step,
                                  Offset& position) {
  const std::vector<log::RecordView>& records = gathered_;
  gathered_values_.clear();
  for (const log::RecordView& record : records) gathered_values_.push_back(record.value);
  gathered_headers_.clear();
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto header = log::find_header(records[i].headers, schema::kValueSchemaHeader);
    if (!header) continue;
    gathered_headers_.resize(records.size());
    gathered_headers_[i] = header;
  }
  bad_.clear();
  auto taken = values_->append(gathered_values_, bad_, gathered_headers_);
  if (!taken && taken.error().code != Code::kUnavailable) return std::unexpected(taken.error());
  if (!taken) step.waits = taken.error().what;
  const std::size_t count = taken.value_or(0);
  std::vector<bool> is_bad(count);
  for (ValueReader::Bad& one : bad_) {
    is_bad[one.index] = true;
    DeadLetter letter = reject(records[one.index], partition, std::move(one.why));
    if (!gathered_headers_.empty() && gathered_headers_[one.index])
      letter.bytes = values_->self_contained(letter.bytes, *gathered_headers_[one.index]);
    step.rejected.push_back(std::move(letter));
  }
  for (std::size_t i = 0; i < count; ++i) {
    note(records[i], step);
    if (!is_bad[i]) columns.append_rest(records[i], static_cast<std::int32_t>(partition));
  }
  if (count < records.size()) {
    step.next_schema = values_->next_schema();
    position = records[count].offset;
    note_age(records[count], step);
  }
  gathered_.clear();
  return {};
}

Status TopicReader::read_partition(std::size_t index, Offset until, Share share, Columns& columns,
                                   TopicStep& step) {
  Offset& position = positions_[index];
  log::Partition& partition = *partitions_[index];
  while (share.has_room(step)) {
    // As a read_committed consumer: open transactions are waited for, aborted ones left out.
    const Offset stable = partition.last_stable_offset();
    if (position >= std::min(until, stable)) break;
    TRY(partition.read(position, kReadBytes, buffers_[index], stable));
    ASSIGN(auto aborted, partition.aborted_transactions(position, stable));
    log::CommittedFilter filter(std::move(aborted));
    log::BatchReader batches = buffers_[index].batches();
    log::BatchView batch;
    bool any = false;
    while (share.has_room(step) && position < until && batches.next(batch)) {
      any = true;
      if (filter.hides(batch)) {
        position = batch.next_offset();
        continue;
      }
      ASSIGN(auto records, batch.records(decompressed_));
      log::RecordView record;
      bool whole = true;
      while (records.next(record)) {
        if (record.offset < position) continue;
        if (!share.has_room(step, gathered_.size()) || record.offset >= until) {
          // Compaction may have taken the records just before `until`.
          if (record.offset >= until) position = until;
          whole = false;
          break;
        }
        take(record, index, columns, step);
        position = record.offset + 1;
      }
      if (whole) {
        TRY(records.status());
        position = batch.next_offset();
      }
      if (!gathered_.empty()) TRY(take_gathered(index, columns, step, position));
    }
    if (!any) break;
  }
  return {};
}

Status TopicReader::hold_to_rules(TopicStep& step) {
  if (rules_.empty()) return {};
  const arrow::RecordBatch& rows = *step.delta.rows;
  const Array values = rows.GetColumnByName("value");
  const auto& partitions =
      static_cast<const arrow::Int32Array&>(*rows.GetColumnByName("partition"));
  const auto& offsets = static_cast<const arrow::Int64Array&>(*rows.GetColumnByName("offset"));
  std::vector<std::int64_t> kept;
  for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
    auto broken = rules_.broken(schema::cel::value_of(*values, row));
    if (!broken) {
      kept.push_back(row);
      continue;
    }
    DeadLetter letter;
    letter.flow = relation_.topic;
    letter.reason = "rule";
    letter.detail = std::move(*broken);
    letter.topic = relation_.topic;
    letter.partition = partitions.Value(row);
    letter.offset = offsets.Value(row);
    letter.origin = fmt::format("{}-{}@{}", letter.topic, letter.partition, letter.offset);
    if (auto record = record_at(*log_, letter.topic, letter.partition, letter.offset))
      letter.bytes = std::move(record->value);
    step.rejected.push_back(std::move(letter));
  }
  if (std::ssize(kept) == rows.num_rows()) return {};
  ASSIGN(step.delta, engine::take(step.delta, kept));
  return {};
}

Result<TopicStep> TopicReader::read_until(const Positions& until, std::int64_t max_records) {
  TopicStep step;
  if (telemetry::on()) {
    step.trace = std::make_shared<ReadTrace>();
    step.trace->begun_ns = telemetry::now_ns();
  }
  Columns columns(last_);
  const auto count = static_cast<std::int64_t>(partitions_.size());
  const Share whole{max_records, kStepBytes};
  for (std::int64_t i = 0; i < count && whole.has_room(step); ++i) {
    // Each partition may fill its share of the step; the one whose turn it is comes first.
    const auto part = [&](std::int64_t used, std::int64_t all) {
      return used + std::max<std::int64_t>(1, (all - used) / (count - i));
    };
    const Share share{part(step.records, max_records), part(step.bytes, kStepBytes)};
    const std::size_t index = (turn_ + static_cast<std::size_t>(i)) % partitions_.size();
    const Offset end =
        until.empty() ? Offset(std::numeric_limits<std::int64_t>::max()) : until[index];
    TRY(read_partition(index, end, share, columns, step));
  }
  turn_ = (turn_ + 1) % partitions_.size();
  step.next = positions_;
  if (step.records > 0) {
    last_ = {columns.key.bytes(), columns.value.bytes()};
    ASSIGN(step.delta.rows, columns.finish(relation_, values_ ? &*values_ : nullptr));
    TRY(hold_to_rules(step));
  }
  if (step.trace) step.trace->ended_ns = telemetry::now_ns();
  return step;
}

}  // namespace tailrace::pipeline
