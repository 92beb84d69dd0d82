#include "log/producers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace tailrace::log {
namespace {

constexpr std::int16_t kSnapshotVersion = 1;
constexpr std::size_t kSnapshotHeaderBytes = 10;
constexpr std::size_t kSnapshotEntryBytes = 46;
constexpr std::uint32_t kSequenceMask = 0x7fffffff;
constexpr std::size_t kRecentBatches = 5;

std::uint32_t distance(std::int32_t from, std::int32_t to) {
  return (static_cast<std::uint32_t>(to) - static_cast<std::uint32_t>(from)) & kSequenceMask;
}

}  // namespace

Result<std::int64_t> Producers::known_prefix(const ProducerBatch& batch) const {
  const auto found = entries_.find(batch.id);
  if (found == entries_.end()) return 0;
  const ProducerEntry& entry = found->second;
  if (batch.epoch < entry.epoch) {
    return error(Code::kAborted,
                 fmt::format("producer {}: epoch {} is fenced off, the log has epoch {}", batch.id,
                             batch.epoch, entry.epoch));
  }
  if (batch.epoch > entry.epoch) return 0;
  const auto expected = static_cast<std::int32_t>(
      (static_cast<std::uint32_t>(entry.last_sequence) + 1) & kSequenceMask);
  // Sequences live on a circle of 2^31: the nearer way round tells a repetition from a gap.
  const std::uint32_t behind = distance(batch.first_sequence, expected);
  if (behind > kSequenceMask / 2) {
    return error(Code::kFailedPrecondition,
                 fmt::format("producer {}: out of order sequence {}, expected {}", batch.id,
                             batch.first_sequence, expected));
  }
  return std::min<std::int64_t>(behind, batch.count);
}

void Producers::note(const ProducerBatch& batch, Offset last_offset, TimestampMs timestamp) {
  if (batch.id < 0) return;
  const auto last = static_cast<std::uint32_t>(batch.first_sequence) +
                    static_cast<std::uint32_t>(batch.count) - 1;
  auto& entry = entries_[batch.id];
  if (entry.epoch != batch.epoch) entry.recent.clear();
  entry.epoch = batch.epoch;
  entry.last_sequence = static_cast<std::int32_t>(last & kSequenceMask);
  entry.last_offset = last_offset.value;
  entry.offset_delta = batch.count - 1;
  entry.timestamp = timestamp.value;
  if (entry.recent.size() == kRecentBatches) entry.recent.pop_front();
  entry.recent.push_back(
      {batch.first_sequence, entry.last_sequence, last_offset - std::int64_t{batch.count - 1}});
}

std::optional<Offset> Producers::stored_at(const ProducerBatch& batch) const {
  const auto* entry = find(batch.id);
  if (entry == nullptr || entry->epoch != batch.epoch) return std::nullopt;
  const auto last = (static_cast<std::uint32_t>(batch.first_sequence) +
                     static_cast<std::uint32_t>(batch.count) - 1) &
                    kSequenceMask;
  const auto found = std::ranges::find_if(entry->recent, [&](const StoredBatch& stored) {
    return stored.first_sequence == batch.first_sequence &&
           static_cast<std::uint32_t>(stored.last_sequence) == last;
  });
  if (found == entry->recent.end()) return std::nullopt;
  return found->base;
}

ProducerBatch producer_batch(const BatchView& batch) {
  return {batch.producer_id(), batch.producer_epoch(), batch.base_sequence(),
          batch.last_offset_delta() + 1};
}

void Producers::note(const BatchView& batch) {
  if (batch.producer_id() < 0 || batch.base_sequence() < 0) return;
  note(producer_batch(batch), batch.last_offset(), batch.max_timestamp());
}

std::optional<std::int32_t> Producers::last_sequence(std::int64_t id) const {
  const auto* entry = find(id);
  if (entry == nullptr) return std::nullopt;
  return entry->last_sequence;
}

const ProducerEntry* Producers::find(std::int64_t id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

std::string Producers::encode_snapshot() const {
  std::string out;
  append_be(out, kSnapshotVersion);
  append_be<std::uint32_t>(out, 0);
  append_be(out, static_cast<std::int32_t>(entries_.size()));
  for (const auto& [id, entry] : entries_) {
    append_be(out, id);
    append_be(out, entry.epoch);
    append_be(out, entry.last_sequence);
    append_be(out, entry.last_offset);
    append_be(out, entry.offset_delta);
    append_be(out, entry.timestamp);
    append_be<std::int32_t>(out, -1);
    append_be<std::int64_t>(out, -1);
  }
  store_be(out.data() + 2, crc32c(std::string_view(out).substr(6)));
  return out;
}

Result<Producers> Producers::decode_snapshot(std::string_view bytes) {
  const auto bad = [](std::string_view why) {
    return error(Code::kDataLoss, fmt::format("producer snapshot: {}", why));
  };
  if (bytes.size() < kSnapshotHeaderBytes) return bad("cut short");
  if (load_be<std::int16_t>(bytes.data()) != kSnapshotVersion) return bad("unknown version");
  if (load_be<std::uint32_t>(bytes.data() + 2) != crc32c(bytes.substr(6))) return bad("bad crc");
  const auto count = load_be<std::int32_t>(bytes.data() + 6);
  if (count < 0 || bytes.size() != kSnapshotHeaderBytes +
                                       static_cast<std::size_t>(count) * kSnapshotEntryBytes) {
    return bad("size and count disagree");
  }
  Producers producers;
  for (const char* at = bytes.data() + kSnapshotHeaderBytes; at != bytes.data() + bytes.size();
       at += kSnapshotEntryBytes) {
    const ProducerBatch last{.id = load_be<std::int64_t>(at),
                             .epoch = load_be<std::int16_t>(at + 8),
                             .first_sequence = static_cast<std::int32_t>(distance(
                                 load_be<std::int32_t>(at + 22), load_be<std::int32_t>(at + 10))),
                             .count = load_be<std::int32_t>(at + 22) + 1};
    producers.note(last, Offset(load_be<std::int64_t>(at + 14)),
                   TimestampMs(load_be<std::int64_t>(at + 26)));
  }
  return producers;
}

}  // namespace tailrace::log
