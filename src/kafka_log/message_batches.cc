#include "kafka_log/message_batches.h"

#include <algorithm>

#include "base/bytes.h"

namespace tailrace::kafka_log {
namespace {

/// A reader that stops within a batch parses it from its start again.
constexpr std::size_t kBatchBytes = 128 << 10;

std::optional<std::string_view> text_of(const void* bytes, std::size_t size) {
  if (!bytes) return std::nullopt;
  return std::string_view(static_cast<const char*>(bytes), size);
}

}  // namespace

void MessageBatches::clear() {
  builder_.clear();
  count_ = 0;
}

void MessageBatches::read_headers(const rd_kafka_message_t& message) {
  headers_.clear();
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    headers_.push_back({name, text_of(value, size)});
}

Status MessageBatches::add(const rd_kafka_message_t& message) {
  const Offset offset(message.offset);
  if (!builder_.empty() && (offset != next_ || builder_.size_bytes() >= kBatchBytes))
    TRY(builder_.finish_and_go_on({}, base_));
  if (builder_.empty()) base_ = offset;
  read_headers(message);
  rd_kafka_timestamp_type_t type{};
  const std::int64_t time = rd_kafka_message_timestamp(&message, &type);
  builder_.add({text_of(message.key, message.key_len), text_of(message.payload, message.len),
                TimestampMs(std::max<std::int64_t>(time, 0)), headers_});
  next_ = offset + 1;
  ++count_;
  return {};
}

Result<std::string_view> MessageBatches::finish() {
  if (!builder_.empty()) TRY(builder_.finish_and_go_on({}, base_));
  return builder_.batches();
}

std::string empty_offsets(Offset from, Offset to) {
  std::string all;
  while (from < to) {
    const std::int64_t count = std::min<std::int64_t>(to - from, INT32_MAX);
    std::string batch = log::empty_batch(static_cast<std::int32_t>(count - 1), TimestampMs(0));
    store_be(batch.data(), from.value);
    all += batch;
    from = from + count;
  }
  return all;
}

}  // namespace tailrace::kafka_log
