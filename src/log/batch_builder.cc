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
  if (plain_.size() < needed) plain_.resize(std::max(needed, plain_.size() * 2));
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

void RecordBatchBuilder::write_header(std::string& batch, const Producer& producer,
                                      Compression used) const {
  char* at = batch.data();
  store_be<std::int64_t>(at, 0);
  store_be(at + 8, static_cast<std::int32_t>(batch.size() - kBatchPrefixBytes));
  store_be<std::int32_t>(at + 12, -1);
  at[16] = 2;
  store_be(at + 21, static_cast<std::int16_t>(used));
  store_be(at + 23, count_ - 1);
  store_be(at + 27, base_timestamp_);
  store_be(at + 35, max_timestamp_);
  const bool idempotent = producer.id >= 0;
  store_be(at + 43, idempotent ? producer.id : std::int64_t{-1});
  store_be(at + 51, idempotent ? producer.epoch : std::int16_t{-1});
  store_be(at + 53, idempotent ? wrap_sequence(producer.first_sequence) : -1);
  store_be(at + 57, count_);
  store_be(at + 17, crc32c(std::string_view(batch).substr(21)));
}

Result<std::string*> RecordBatchBuilder::finish_in_place(const Producer& producer) {
  CHECK(count_ > 0);
  plain_.resize(used_);
  if (compression_ != Compression::kNone) {
    compressed_.assign(kBatchHeaderBytes, '\0');
    TRY(compress(compression_, std::string_view(plain_).substr(kBatchHeaderBytes), compressed_));
    write_header(compressed_, producer, compression_);
    return &compressed_;
  }
  write_header(plain_, producer, Compression::kNone);
  return &plain_;
}

Result<std::string_view> RecordBatchBuilder::finish(const Producer& producer) {
  ASSIGN(const std::string* batch, finish_in_place(producer));
  return std::string_view(*batch);
}

void RecordBatchBuilder::clear() {
  used_ = kBatchHeaderBytes;
  count_ = 0;
  base_timestamp_ = -1;
  max_timestamp_ = -1;
}

}  // namespace tailrace::log
