// A registry's records read from and appended to `_schemas`.
#include "subjects/subject_log.h"

#include <algorithm>

#include "base/log.h"
#include "rt/clock.h"

namespace tailrace::subjects {
namespace {

void give(const log::RecordView& record, const Store::Use& use) {
  if (!record.key) return;
  auto change = decode(*record.key, record.value, record.timestamp.value);
  if (change) return use(std::move(*change));
  LOG(warn, "{}: the record at offset {} is passed over: {}", kSchemasTopic, record.offset.value,
      change.error().what);
}

}  // namespace

Status SubjectLog::make_topic() {
  log::TopicSettings settings;
  settings.max_message_bytes = 16 << 20;
  settings.extra["cleanup.policy"] = "compact";
  TRY(log_.ensure_topic(kSchemasTopic, settings));
  return find_topic();
}

Status SubjectLog::find_topic() {
  ASSIGN(auto found, log_.partition(kSchemasTopic, PartitionId(0)));
  const std::lock_guard lock(mutex_);
  partition_ = std::move(found);
  next_ = partition_->log_start();
  return {};
}

bool SubjectLog::has_new() const {
  {
    const std::lock_guard lock(mutex_);
    if (partition_) return partition_->next_offset().value > seen_;
  }
  const std::uint64_t appends = log_.appends(), looked_at = looked_at_;
  return appends != looked_at && (looked_at == kNever || log_.topic(kSchemasTopic));
}

Status SubjectLog::read_new(const Use& use) {
  if (!partition_) {
    const std::uint64_t appends = log_.appends();
    if (!log_.topic(kSchemasTopic)) {
      // Of a topic that is offline as a whole only this is told.
      const auto none = log_.partition(kSchemasTopic, PartitionId(0));
      if (!none && none.error().code == Code::kDataLoss) return std::unexpected(none.error());
      looked_at_ = appends;
      return {};
    }
    TRY(find_topic());  // what is damaged when the log is opened, the log tells
  }
  Status read = read_on(use);
  const bool damaged = !read && read.error().code == Code::kDataLoss;
  if (damaged && !told_damage_)
    LOG_OF(error, log_of("topic", kSchemasTopic, "partition", 0),
           "the schema registry is not served: {}; put the file back and start again",
           read.error().what);
  told_damage_ = damaged;
  return read;
}

Status SubjectLog::read_on(const Use& use) {
  constexpr std::size_t kAtOnceBytes = 4 << 20;
  // Offsets at the end may be of records that nobody reads: what is seen is more than what is read.
  const Offset end = partition_->next_offset();
  std::string plain;
  next_ = std::max(next_, partition_->log_start());
  do {  // an empty partition is read, too: one of a Kafka somewhere else is followed from then on
    TRY(partition_->read(next_, kAtOnceBytes, buffer_));
    if (buffer_.empty()) break;
    const Offset from = next_;
    auto batches = buffer_.batches();
    for (log::BatchView batch; batches.next(batch); next_ = batch.next_offset()) {
      if (batch.control()) continue;
      ASSIGN(auto records, batch.records(plain));
      for (log::RecordView record; records.next(record);) {
        if (record.offset >= from) give(record, use);
      }
      TRY(records.status());
    }
  } while (next_ < end);
  seen_ = end.value;
  return {};
}

Status SubjectLog::append(std::span<const RecordText> records) {
  if (!partition_) TRY(make_topic());
  const TimestampMs now = rt::system_clock().now();
  std::vector<log::Record> out(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    out[i].key = records[i].key;
    if (records[i].value) out[i].value = *records[i].value;
    out[i].timestamp = now;
  }
  TRY(partition_->append(out));
  return {};
}

}  // namespace tailrace::subjects
