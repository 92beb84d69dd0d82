#include "log/batch.h"

#include <fmt/format.h>
#include <isa-l/crc.h>

#include "base/bytes.h"
#include "log/varint.h"

namespace tailrace::log {
namespace {

constexpr std::size_t kCrcCoversFrom = 21;

/// Takes a length-prefixed, nullable string off the front.
bool take_bytes(std::string_view& from, std::optional<std::string_view>& value) {
  std::int64_t length;
  if (!take_varint(from, length)) return false;
  if (length < 0) {
    value.reset();
    return length == -1;
  }
  if (static_cast<std::uint64_t>(length) > from.size()) return false;
  value = from.substr(0, static_cast<std::size_t>(length));
  from.remove_prefix(static_cast<std::size_t>(length));
  return true;
}

bool take_header(std::string_view& from, Header& header) {
  std::optional<std::string_view> key;
  if (!take_bytes(from, key) || !key) return false;
  header.key = *key;
  return take_bytes(from, header.value);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  // isal's crc32_iscsi takes and gives the raw register: no inversion at either end.
  std::uint32_t state = 0xffffffffu;
  auto* at = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  std::size_t left = bytes.size();
  while (left > 0) {
    const std::size_t step = left < (1u << 30) ? left : (1u << 30);
    state = crc32_iscsi(at, static_cast<int>(step), state);
    at += step;
    left -= step;
  }
  return ~state;
}

bool HeaderViews::next(Header& header) {
  if (count <= 0) return false;
  --count;
  return take_header(encoded, header);
}

Result<BatchView> BatchView::parse(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderBytes) return error(Code::kOutOfRange, "batch header cut short");
  const auto length = load_be<std::int32_t>(bytes.data() + 8);
  if (bytes[16] != 2) {
    return error(Code::kDataLoss, fmt::format("record batch has magic {}, not 2", int{bytes[16]}));
  }
  if (length < static_cast<std::int32_t>(kBatchHeaderBytes - kBatchPrefixBytes)) {
    return error(Code::kDataLoss, fmt::format("record batch has the impossible length {}", length));
  }
  const std::size_t whole = kBatchPrefixBytes + static_cast<std::size_t>(length);
  const BatchView batch(bytes.substr(0, whole));
  if (batch.base_offset().value < 0 || batch.last_offset_delta() < 0 || batch.record_count() < 0 ||
      batch.base_offset().value > INT64_MAX - batch.last_offset_delta() - 1) {
    return error(Code::kDataLoss, "record batch has impossible offsets or counts");
  }
  if (bytes.size() < whole) return error(Code::kOutOfRange, "batch cut short");
  return batch;
}

bool BatchView::crc_matches() const {
  return crc32c(bytes_.substr(kCrcCoversFrom)) == crc();
}

Offset BatchView::base_offset() const {
  return Offset(load_be<std::int64_t>(bytes_.data()));
}
std::int32_t BatchView::leader_epoch() const {
  return load_be<std::int32_t>(bytes_.data() + 12);
}
std::uint32_t BatchView::crc() const {
  return load_be<std::uint32_t>(bytes_.data() + 17);
}
std::int16_t BatchView::attributes() const {
  return load_be<std::int16_t>(bytes_.data() + 21);
}
std::int32_t BatchView::last_offset_delta() const {
  return load_be<std::int32_t>(bytes_.data() + 23);
}
TimestampMs BatchView::base_timestamp() const {
  return TimestampMs(load_be<std::int64_t>(bytes_.data() + 27));
}
std::optional<TimestampMs> BatchView::delete_horizon() const {
  if ((attributes() & 64) == 0) return std::nullopt;
  return base_timestamp();
}
TimestampMs BatchView::max_timestamp() const {
  return TimestampMs(load_be<std::int64_t>(bytes_.data() + 35));
}
std::int64_t BatchView::producer_id() const {
  return load_be<std::int64_t>(bytes_.data() + 43);
}
std::int16_t BatchView::producer_epoch() const {
  return load_be<std::int16_t>(bytes_.data() + 51);
}
std::int32_t BatchView::base_sequence() const {
  return load_be<std::int32_t>(bytes_.data() + 53);
}
std::int32_t BatchView::last_sequence() const {
  const std::int64_t last = std::int64_t{base_sequence()} + last_offset_delta();
  return base_sequence() < 0 ? -1 : static_cast<std::int32_t>(last & 0x7fffffff);
}
std::int32_t BatchView::record_count() const {
  return load_be<std::int32_t>(bytes_.data() + 57);
}

Result<std::string_view> BatchView::plain(std::string& buffer) const {
  const std::string_view body = bytes_.substr(kBatchHeaderBytes);
  if (compression() == Compression::kNone || body.empty()) return body;
  if (auto plain = decompress(compression(), body, kMaxPlainBatchBytes, buffer); !plain) {
    return std::unexpected(
        plain.error().in(fmt::format("batch at offset {}", base_offset().value)));
  }
  return std::string_view(buffer);
}

Result<RecordReader> BatchView::records(std::string& buffer) const {
  ASSIGN(const auto body, plain(buffer));
  return RecordReader(*this, body);
}

RecordReader::RecordReader(const BatchView& batch, std::string_view plain)
    : rest_(plain),
      base_offset_(batch.base_offset()),
      base_timestamp_(batch.base_timestamp().value),
      fixed_timestamp_(batch.log_append_time() ? batch.max_timestamp().value : -1),
      left_(batch.record_count()),
      max_delta_(batch.last_offset_delta()) {}

Status RecordReader::status() const {
  if (failure_.empty()) return {};
  return error(Code::kDataLoss, failure_);
}

bool RecordReader::next(RecordView& record) {
  if (!failure_.empty()) return false;
  if (left_ == 0) {
    if (!rest_.empty()) {
      failure_ = fmt::format("{} bytes left over after the last record of the batch at offset {}",
                             rest_.size(), base_offset_.value);
    }
    return false;
  }
  std::int64_t length;
  if (take_varint(rest_, length) && length >= 0 &&
      static_cast<std::uint64_t>(length) <= rest_.size()) {
    const auto body = rest_.substr(0, static_cast<std::size_t>(length));
    rest_.remove_prefix(static_cast<std::size_t>(length));
    --left_;
    if (parse(body, record)) return true;
  }
  failure_ = fmt::format("malformed record after offset {}", base_offset_.value + last_delta_);
  return false;
}

bool RecordReader::parse(std::string_view body, RecordView& record) {
  if (body.empty()) return false;
  body.remove_prefix(1);  // the record's attributes are unused
  std::int64_t timestamp_delta;
  std::int64_t offset_delta;
  std::int64_t header_count;
  if (!take_varint(body, timestamp_delta) || !take_varint(body, offset_delta)) return false;
  if (offset_delta <= last_delta_ || offset_delta > max_delta_) return false;
  if (!take_bytes(body, record.key) || !take_bytes(body, record.value)) return false;
  if (!take_varint(body, header_count) || header_count < 0 ||
      header_count > static_cast<std::int64_t>(body.size())) {
    return false;
  }
  record.headers = {body, static_cast<std::int32_t>(header_count)};
  for (Header header; header_count > 0; --header_count) {
    if (!take_header(body, header)) return false;
  }
  if (!body.empty()) return false;
  last_delta_ = static_cast<std::int32_t>(offset_delta);
  record.offset = base_offset_ + offset_delta;
  const auto stamp =
      static_cast<std::uint64_t>(base_timestamp_) + static_cast<std::uint64_t>(timestamp_delta);
  record.timestamp =
      TimestampMs(fixed_timestamp_ >= 0 ? fixed_timestamp_ : static_cast<std::int64_t>(stamp));
  return true;
}

std::optional<BatchFacts> peek_batch(std::string_view header) {
  if (header.size() < kBatchHeaderBytes || header[16] != 2) return std::nullopt;
  const auto length = load_be<std::int32_t>(header.data() + 8);
  const auto base = load_be<std::int64_t>(header.data());
  const auto delta = load_be<std::int32_t>(header.data() + 23);
  if (length < static_cast<std::int32_t>(kBatchHeaderBytes - kBatchPrefixBytes) || delta < 0 ||
      base < 0 || base > INT64_MAX - delta - 1) {
    return std::nullopt;
  }
  return BatchFacts{Offset(base), Offset(base + delta),
                    kBatchPrefixBytes + static_cast<std::size_t>(length)};
}

bool BatchReader::next(BatchView& batch) {
  auto parsed = BatchView::parse(rest_);
  if (!parsed) return false;
  batch = *parsed;
  rest_.remove_prefix(batch.bytes().size());
  return true;
}

}  // namespace tailrace::log
