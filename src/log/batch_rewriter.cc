#include "log/batch_rewriter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "log/varint.h"

namespace tailrace::log {
namespace {

constexpr std::int16_t kKeptInEmpty = 0x38;  // log-append time, transactional, control
constexpr std::int16_t kHorizonBit = 0x40;

/// Length, CRC and what else the header at `at` says of what follows it.
void close_header(std::string& out, std::size_t at, std::int32_t count) {
  char* header = out.data() + at;
  const std::size_t size = out.size() - at;
  store_be(header + 8, static_cast<std::int32_t>(size - kBatchPrefixBytes));
  store_be(header + 57, count);
  store_be(header + 17, crc32c({header + 21, size - 21}));
}

/// The record with another timestamp delta.
void append_shifted(const RawRecord& record, std::int64_t timestamp_delta, std::string& out) {
  char times[24];
  char* at = times;
  *at++ = 0;
  at = put_varint(at, timestamp_delta);
  const auto head = static_cast<std::size_t>(at - times);
  char length[10];
  const char* length_end =
      put_varint(length, static_cast<std::int64_t>(head + record.after_times.size()));
  out.append(length, static_cast<std::size_t>(length_end - length));
  out.append(times, head);
  out.append(record.after_times);
}

}  // namespace

bool RawRecords::next(RawRecord& record) {
  if (left_ == 0 || malformed_) return false;
  const std::string_view all = rest_;
  std::int64_t length;
  std::int64_t offset_delta;
  std::int64_t key_length;
  std::int64_t value_length;
  malformed_ = true;
  if (!take_varint(rest_, length) || length < 1 ||
      static_cast<std::uint64_t>(length) > rest_.size()) {
    return false;
  }
  auto body = rest_.substr(1, static_cast<std::size_t>(length) - 1);
  rest_.remove_prefix(static_cast<std::size_t>(length));
  record.bytes = all.substr(0, all.size() - rest_.size());
  if (!take_varint(body, record.timestamp_delta)) return false;
  record.after_times = body;
  if (!take_varint(body, offset_delta) || offset_delta < 0 || !take_varint(body, key_length) ||
      key_length < -1 || key_length > static_cast<std::int64_t>(body.size())) {
    return false;
  }
  record.key.reset();
  if (key_length >= 0) {
    record.key = body.substr(0, static_cast<std::size_t>(key_length));
    body.remove_prefix(static_cast<std::size_t>(key_length));
  }
  if (!take_varint(body, value_length)) return false;
  record.has_value = value_length >= 0;
  record.offset = base_ + offset_delta;
  --left_;
  malformed_ = false;
  return true;
}

Status RawRecords::status() const {
  if (!malformed_) return {};
  return error(Code::kDataLoss,
               fmt::format("malformed record in the batch at offset {}", base_.value));
}

Status BatchRewriter::append(const BatchView& batch, const std::vector<RawRecord>& kept,
                             std::optional<TimestampMs> horizon, std::string& out) {
  const std::int64_t old_base = batch.base_timestamp().value;
  const std::int64_t shift = horizon ? old_base - horizon->value : 0;
  std::int64_t newest = INT64_MIN;
  plain_.clear();
  for (const auto& record : kept) {
    newest = std::max(newest, old_base + record.timestamp_delta);
    if (shift == 0) {
      plain_.append(record.bytes);
    } else {
      append_shifted(record, record.timestamp_delta + shift, plain_);
    }
  }
  const std::size_t at = out.size();
  out.append(batch.bytes().substr(0, kBatchHeaderBytes));
  TRY(compress(batch.compression(), plain_, out));
  char* header = out.data() + at;
  if (horizon) {
    store_be(header + 21, static_cast<std::int16_t>(batch.attributes() | kHorizonBit));
    store_be(header + 27, horizon->value);
  }
  if (!batch.log_append_time()) store_be(header + 35, newest);
  close_header(out, at, static_cast<std::int32_t>(kept.size()));
  return {};
}

void BatchRewriter::append_empty(const BatchView& batch, std::string& out) {
  const std::size_t at = out.size();
  out.append(batch.bytes().substr(0, kBatchHeaderBytes));
  char* header = out.data() + at;
  store_be(header + 21, static_cast<std::int16_t>(batch.attributes() & kKeptInEmpty));
  store_be<std::int64_t>(header + 27, -1);
  close_header(out, at, 0);
}

}  // namespace tailrace::log
