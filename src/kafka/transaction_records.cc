#include "kafka/transaction_records.h"

#include <fmt/format.h>

#include "kafka/coordinator_record.h"
#include "kafka/messages/transaction_log_key.h"
#include "kafka/messages/transaction_log_value.h"

namespace tailrace::kafka {
namespace {

TransactionLogValue message(const transactions::Transaction& from, Version version) {
  TransactionLogValue to;
  to.producer_id = from.producer.id;
  to.producer_epoch = from.producer.epoch;
  if (version.value >= 1) {
    to.previous_producer_id = from.previous_id;
    to.next_producer_id = from.next_id;
    to.client_transaction_version = from.version.value;
  }
  to.transaction_timeout_ms = from.timeout_ms;
  to.transaction_status = static_cast<std::int8_t>(from.state);
  to.transaction_partitions.reset();
  if (from.state != transactions::State::kEmpty) {
    auto& topics = to.transaction_partitions.emplace();
    for (const auto& [topic, partitions] : from.partitions) {
      topics.push_back({topic, {partitions.begin(), partitions.end()}});
    }
  }
  to.transaction_last_update_timestamp_ms = from.updated.value;
  to.transaction_start_timestamp_ms = from.started.value;
  return to;
}

Result<transactions::Transaction> plain(const TransactionLogValue& from) {
  transactions::Transaction to;
  to.producer = {from.producer_id, from.producer_epoch};
  to.previous_id = from.previous_producer_id;
  to.next_id = from.next_producer_id;
  to.timeout_ms = from.transaction_timeout_ms;
  if (from.transaction_status < 0 ||
      from.transaction_status > static_cast<std::int8_t>(transactions::State::kCompleteAbort)) {
    return error(Code::kInvalidArgument,
                 fmt::format("a transaction of state {}", from.transaction_status));
  }
  to.state = static_cast<transactions::State>(from.transaction_status);
  if (from.transaction_partitions) {
    for (const auto& topic : *from.transaction_partitions) {
      to.partitions[topic.topic].insert(topic.partition_ids.begin(), topic.partition_ids.end());
    }
  }
  to.updated = TimestampMs(from.transaction_last_update_timestamp_ms);
  to.started = TimestampMs(from.transaction_start_timestamp_ms);
  to.version = transactions::Version(from.client_transaction_version);
  return to;
}

}  // namespace

Result<RecordBytes> encode_transaction_record(const transactions::Record& record, Version version) {
  RecordBytes bytes;
  TransactionLogKey key;
  key.transactional_id = record.id;
  ASSIGN(bytes.key, encode_record_key(key));
  if (!record.value) return bytes;
  ASSIGN(bytes.value, encode_record_value(message(*record.value, version), version));
  return bytes;
}

Result<std::optional<transactions::Record>> decode_transaction_record(
    std::string_view key, std::optional<std::string_view> value) {
  ASSIGN(const std::int16_t type, record_key_type(key));
  if (type != TransactionLogKey::kRecordKeyType) return std::nullopt;
  ASSIGN(const auto decoded, decode_record_key<TransactionLogKey>(key));
  transactions::Record record{decoded.transactional_id, std::nullopt};
  if (value) {
    ASSIGN(const auto message, decode_record_value<TransactionLogValue>(*value));
    ASSIGN(record.value, plain(message));
  }
  return record;
}

}  // namespace tailrace::kafka
