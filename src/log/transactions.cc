#include "log/transactions.h"

#include <algorithm>

#include "base/bytes.h"
#include "log/varint.h"

namespace tailrace::log {
namespace {

constexpr std::int16_t kTransactionalControl = 0x30;
constexpr std::size_t kMarkerKeyBytes = 4;
constexpr std::size_t kMarkerValueBytes = 6;
// attributes, timestamp delta, offset delta, key length, key, value length, value, no headers
constexpr std::size_t kMarkerRecordBytes = 3 + 1 + kMarkerKeyBytes + 1 + kMarkerValueBytes + 1;

}  // namespace

void append_aborted(std::string& out, const AbortedTransaction& transaction) {
  append_be<std::int16_t>(out, 0);
  append_be(out, transaction.producer_id);
  append_be(out, transaction.first.value);
  append_be(out, transaction.last.value);
  append_be(out, transaction.last_stable.value);
}

Result<AbortedTransaction> parse_aborted(std::string_view entry) {
  const AbortedTransaction parsed{load_be<std::int64_t>(entry.data() + 2),
                                  Offset(load_be<std::int64_t>(entry.data() + 10)),
                                  Offset(load_be<std::int64_t>(entry.data() + 18)),
                                  Offset(load_be<std::int64_t>(entry.data() + 26))};
  const bool possible = load_be<std::int16_t>(entry.data()) == 0 && parsed.producer_id >= 0 &&
                        parsed.first.value >= 0 && parsed.first <= parsed.last;
  if (!possible) return error(Code::kDataLoss, "no entry of an aborted transaction");
  return parsed;
}

std::string marker_batch(const EndMarker& marker, TimestampMs now) {
  std::string batch(kBatchHeaderBytes, '\0');
  char record[kMarkerRecordBytes + 1] = {};
  char* at = put_varint(record, kMarkerRecordBytes);
  at += 3;
  at = put_varint(at, kMarkerKeyBytes);
  store_be<std::int16_t>(at, 0);
  store_be(at + 2, static_cast<std::int16_t>(marker.end));
  at = put_varint(at + kMarkerKeyBytes, kMarkerValueBytes);
  store_be<std::int16_t>(at, 0);
  store_be(at + 2, marker.coordinator_epoch);
  batch.append(record, sizeof record);
  char* to = batch.data();
  store_be(to + 8, static_cast<std::int32_t>(batch.size() - kBatchPrefixBytes));
  to[16] = 2;
  store_be(to + 21, kTransactionalControl);
  store_be(to + 27, now.value);
  store_be(to + 35, now.value);
  store_be(to + 43, marker.producer_id);
  store_be(to + 51, marker.epoch);
  store_be<std::int32_t>(to + 53, -1);
  store_be<std::int32_t>(to + 57, 1);
  store_be(to + 17, crc32c(std::string_view(batch).substr(21)));
  return batch;
}

std::optional<MarkerFacts> parse_marker(const BatchView& batch) {
  std::string plain;
  auto records = batch.records(plain);
  RecordView record;
  if (!records || !records->next(record)) return std::nullopt;
  if (!record.key || record.key->size() < kMarkerKeyBytes) return std::nullopt;
  const auto type = load_be<std::int16_t>(record.key->data() + 2);
  if (type != 0 && type != 1) return std::nullopt;
  MarkerFacts facts{static_cast<TransactionEnd>(type), -1};
  if (record.value && record.value->size() >= kMarkerValueBytes) {
    facts.coordinator_epoch = load_be<std::int32_t>(record.value->data() + 2);
  }
  return facts;
}

CommittedFilter::CommittedFilter(std::vector<AbortedTransaction> aborted)
    : aborted_(std::move(aborted)) {
  std::ranges::sort(aborted_, {}, &AbortedTransaction::first);
}

bool CommittedFilter::hides(const BatchView& batch) {
  for (; begun_ < aborted_.size() && aborted_[begun_].first <= batch.last_offset(); ++begun_) {
    open_[aborted_[begun_].producer_id] = aborted_[begun_].last;
  }
  if (batch.control()) {
    open_.erase(batch.producer_id());
    return true;
  }
  if (!batch.transactional()) return false;
  const auto found = open_.find(batch.producer_id());
  if (found == open_.end()) return false;
  // The marker itself may be gone where it was cleaned.
  if (batch.base_offset() > found->second) {
    open_.erase(found);
    return false;
  }
  return true;
}

}  // namespace tailrace::log
