#include "log/batch_builder.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "log/varint.h"

namespace tailrace::log {
namespace {

std::size_t nullable_bytes(const std::optional<std::string_view>& value) {
  if (!value) return 1;
  return varint_bytes(static_cast<std::int64_t>(value->size())) + value->size();
}

char* put_bytes(char* to, std::string_view value) {
  to = put_varint(to, static_cast<std::int64_t>(value.size()));
  std::memcpy(to, value.data(), value.size());
  return to + value.size();
}

char* put_nullable(char* to, const std::optional<std::string_view>& value) {
  return value ? put_bytes(to, *value) : put_varint(to, -1);
}

std::size_t key_value_headers_bytes(const Record& record) {
  std::size_t total = nullable_bytes(record.key) + nullable_bytes(record.value) +
                      varint_bytes(static_cast<std::int64_t>(record.headers.size()));
  for (const auto& header : record.headers) {
    total += nullable_bytes(header.key) + nullable_bytes(header.value);
  }
  return total;
}

}  // namespace

RecordBatchBuilder::RecordBatchBuilder(Compression compression) : compression_(compression) {}

std::size_t RecordBatchBuilder::max_bytes(const Record& record) {
  return 5 + 1 + 10 + 5 + key_value_headers_bytes(record);
}

void RecordBatchBuilder::add(const Record& record) {
  CHECK(record.timestamp.value >= 0);
  if (count_ == 0) base_timestamp_ = record.timestamp.value;
  max_timestamp_ = std::max(max_timestamp_, record.timestamp.value);
  const std::int64_t timestamp_delta = record.timestamp.value - base_timestamp_;
  const std::size_t length =
      1 + varint_bytes(timestamp_delta) + varint_bytes(count_) + key_value_headers_bytes(record);
  const std::size_t needed = used_ + length + 10;
  if (plain_.size() < needed) {
    plain_.resize_and_overwrite(std::max(needed, plain_.size() * 2),
                                [](char*, std::size_t size) { return size; });
  }
  char* to = plain_.data() + used_;
  to = put_varint(to, static_cast<std::int64_t>(length));
  *to++ = 0;
  to = put_varint(to, timestamp_delta);
  to = put_varint(to, count_);
  to = put_nullable(to, record.key);
  to = put_nullable(to, record.value);
  to = put_varint(to, static_cast<std::int64_t>(record.headers.size()));
  for (const auto& header : record.headers) {
    to = put_bytes(to, header.key);
    to = put_nullable(to, header.value);
  }
  used_ = static_cast<std::size_t>(to - plain_.data());
  ++count_;
}

void RecordBatchBuilder::write_header(char* at, std::size_t size_bytes, const Producer& producer,
                                      Offset base, std::int32_t epoch) const {
  store_be(at, base.value);
  store_be(at + 8, static_cast<std::int32_t>(size_bytes - kBatchPrefixBytes));
  store_be(at + 12, epoch);
  at[16] = 2;
  const int transactional = producer.transactional ? 16 : 0;
  store_be(at + 21,
           static_cast<std::int16_t>(static_cast<std::int16_t>(compression_) | transactional));
  store_be(at + 23, count_ - 1);
  store_be(at + 27, base_timestamp_);
  store_be(at + 35, max_timestamp_);
  const bool idempotent = producer.id >= 0;
  store_be(at + 43, idempotent ? producer.id : std::int64_t{-1});
  store_be(at + 51, idempotent ? producer.epoch : std::int16_t{-1});
  store_be(at + 53, idempotent ? wrap_sequence(producer.first_sequence) : -1);
  store_be(at + 57, count_);
  store_be(at + 17, crc32c({at + 21, size_bytes - 21}));
}

/// Completes the batch where it will stay: in plain_, or behind the others in compressed_.
Result<std::string_view> RecordBatchBuilder::complete(const Producer& producer, Offset base,
                                                      std::int32_t epoch) {
  CHECK(count_ > 0);
  char* batch = plain_.data() + start_;
  std::size_t size = used_ - start_;
  if (compression_ != Compression::kNone) {
    const std::size_t at = compressed_.size();
    compressed_.append(kBatchHeaderBytes, '\0');
    const std::string_view records(batch + kBatchHeaderBytes, size - kBatchHeaderBytes);
    TRY(compress(compression_, records, compressed_));
    batch = compressed_.data() + at;
    size = compressed_.size() - at;
  }
  write_header(batch, size, producer, base, epoch);
  return std::string_view(batch, size);
}

Result<std::string_view> RecordBatchBuilder::finish(const Producer& producer) {
  compressed_.clear();
  return complete(producer, Offset(0), -1);
}

Status RecordBatchBuilder::finish_and_go_on(const Producer& producer, Offset base) {
  ASSIGN(const auto batch, complete(producer, base, 0));
  if (compression_ == Compression::kNone) start_ += batch.size();
  used_ = start_ + kBatchHeaderBytes;
  count_ = 0;
  base_timestamp_ = -1;
  max_timestamp_ = -1;
  return {};
}

std::string_view RecordBatchBuilder::batches() const {
  if (compression_ != Compression::kNone) return compressed_;
  return std::string_view(plain_).substr(0, start_);
}

void RecordBatchBuilder::clear() {
  compressed_.clear();
  start_ = 0;
  used_ = kBatchHeaderBytes;
  count_ = 0;
  base_timestamp_ = -1;
  max_timestamp_ = -1;
}

std::string empty_batch(std::int32_t last_offset_delta, TimestampMs time) {
  std::string batch(kBatchHeaderBytes, '\0');
  char* at = batch.data();
  store_be(at + 8, static_cast<std::int32_t>(kBatchHeaderBytes - kBatchPrefixBytes));
  at[16] = 2;
  store_be(at + 23, last_offset_delta);
  store_be(at + 27, time.value);
  store_be(at + 35, time.value);
  store_be<std::int64_t>(at + 43, -1);
  store_be<std::int16_t>(at + 51, -1);
  store_be<std::int32_t>(at + 53, -1);
  store_be(at + 17, crc32c(std::string_view(batch).substr(21)));
  return batch;
}

}  // namespace tailrace::log
