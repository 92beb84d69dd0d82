// A registry's records read from and appended to `_schemas`.
#include "subjects/subject_log.h"

#include "base/log.h"
#include "rt/clock.h"

namespace tailrace::subjects {
namespace {

void load_one(Registry& registry, const log::RecordView& record) {
  if (!record.key) return;
  auto change = decode(*record.key, record.value, record.timestamp.value);
  if (change) return registry.load(std::move(*change));
  LOG(warn, "{}: the record at offset {} is passed over: {}", kSchemasTopic, record.offset.value,
      change.error().what);
}

}  // namespace

Status SubjectLog::make_topic() {
  log::TopicSettings settings;
  settings.max_message_bytes = 16 << 20;
  settings.extra["cleanup.policy"] = "compact";
  TRY(log_.ensure_topic(kSchemasTopic, settings));
  ASSIGN(partition_, log_.partition(kSchemasTopic, PartitionId(0)));
  return {};
}

Status SubjectLog::load(Registry& registry) {
  if (!log_.topic(kSchemasTopic)) return {};
  ASSIGN(partition_, log_.partition(kSchemasTopic, PartitionId(0)));
  constexpr std::size_t kAtOnceBytes = 4 << 20;
  log::ReadBuffer buffer;
  std::string plain;
  for (Offset at = partition_->log_start(); at < partition_->next_offset();) {
    TRY(partition_->read(at, kAtOnceBytes, buffer));
    if (buffer.empty()) break;
    auto batches = buffer.batches();
    for (log::BatchView batch; batches.next(batch); at = batch.next_offset()) {
      if (batch.control()) continue;
      ASSIGN(auto records, batch.records(plain));
      for (log::RecordView record; records.next(record);) load_one(registry, record);
      TRY(records.status());
    }
  }
  return {};
}

Result<std::int64_t> SubjectLog::append(std::span<const RecordText> records) {
  if (!partition_) TRY(make_topic());
  const TimestampMs now = rt::system_clock().now();
  std::vector<log::Record> out(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    out[i].key = records[i].key;
    if (records[i].value) out[i].value = *records[i].value;
    out[i].timestamp = now;
  }
  TRY(partition_->append(out));
  return now.value;
}

}  // namespace tailrace::subjects
