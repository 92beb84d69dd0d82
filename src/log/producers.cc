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

std::uint32_t distance(std::int32_t from, std::int32_t to) {
  return (static_cast<std::uint32_t>(to) - static_cast<std::uint32_t>(from)) & kSequenceMask;
}

std::int32_t following(std::int32_t sequence) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(sequence) + 1) & kSequenceMask);
}

}  // namespace

Result<std::int64_t> Producers::known_prefix(const ProducerBatch& batch) const {
  const auto found = entries_.find(batch.id);
  if (found == entries_.end()) return 0;
  const ProducerEntry& entry = found->second;
  const auto refused = [&](Code code, std::string what) {
    return error(code, fmt::format("producer {}: {}", batch.id, what));
  };
  if (batch.epoch < entry.epoch) {
    return refused(Code::kAborted, fmt::format("epoch {} is fenced off, the log has epoch {}",
                                               batch.epoch, entry.epoch));
  }
  if (batch.first_sequence < 0) return 0;
  const bool fresh = batch.epoch > entry.epoch || entry.last_sequence < 0;
  const auto expected = fresh ? 0 : following(entry.last_sequence);
  // Sequences live on a circle of 2^31: the nearer way round tells a repetition from a gap.
  const std::uint32_t behind = distance(batch.first_sequence, expected);
  if (behind > (fresh ? 0 : kSequenceMask / 2)) {
    return refused(Code::kFailedPrecondition, fmt::format("out of order sequence {}, expected {}",
                                                          batch.first_sequence, expected));
  }
  const auto known = std::min<std::int64_t>(behind, batch.count);
  if (known > 0 && known < batch.count && batch.transactional) {
    return refused(Code::kFailedPrecondition,
                   fmt::format("sequence {} overlaps what the transaction has up to {}",
                               batch.first_sequence, entry.last_sequence));
  }
  if (known < batch.count && entry.transaction_start >= 0 && !batch.transactional) {
    return refused(Code::kAlreadyExists,
                   fmt::format("records outside the transaction that is open from offset {} on",
                               entry.transaction_start));
  }
  return known;
}

Status Producers::check_marker(const EndMarker& marker) const {
  const auto* entry = find(marker.producer_id);
  if (entry == nullptr) return {};
  const bool own_epoch = marker.transaction_version >= 2;
  // Of an own epoch, the same one is a marker that comes again (or the last one there is).
  const bool again = marker.epoch == entry->epoch &&
                     (!own_epoch || entry->transaction_start < 0 || marker.epoch == INT16_MAX);
  if (marker.epoch < entry->epoch || (marker.epoch == entry->epoch && !again)) {
    return error(Code::kAborted, fmt::format("producer {}: a marker of epoch {} is fenced off, the "
                                             "log has epoch {}",
                                             marker.producer_id, marker.epoch, entry->epoch));
  }
  if (marker.coordinator_epoch < entry->coordinator_epoch) {
    return error(
        Code::kFailedPrecondition,
        fmt::format("producer {}: coordinator epoch {} is fenced off, the log has {}",
                    marker.producer_id, marker.coordinator_epoch, entry->coordinator_epoch));
  }
  return {};
}

void Producers::note(const ProducerBatch& batch, Offset last_offset, TimestampMs timestamp) {
  if (batch.id < 0) return;
  const auto last = static_cast<std::uint32_t>(batch.first_sequence) +
                    static_cast<std::uint32_t>(batch.count) - 1;
  const Offset first = last_offset - std::int64_t{batch.count - 1};
  auto& entry = entries_[batch.id];
  if (entry.epoch != batch.epoch) entry.recent = {};
  if (entry.epoch != batch.epoch) entry.last_sequence = -1;
  entry.epoch = batch.epoch;
  entry.last_offset = last_offset.value;
  entry.offset_delta = batch.count - 1;
  entry.timestamp = timestamp.value;
  if (batch.first_sequence >= 0) {
    entry.last_sequence = static_cast<std::int32_t>(last & kSequenceMask);
    entry.recent[entry.recent_end] = {batch.first_sequence, entry.last_sequence, first};
    entry.recent_end = static_cast<std::uint8_t>((entry.recent_end + 1) % entry.recent.size());
  }
  if (batch.transactional && entry.transaction_start < 0) {
    entry.transaction_start = first.value;
    open_.emplace(first, batch.id);
  }
}

std::optional<AbortedTransaction> Producers::note(const BatchView& batch) {
  if (batch.producer_id() < 0) return std::nullopt;
  if (!batch.control()) {
    if (batch.base_sequence() < 0 && !batch.transactional()) return std::nullopt;
    note(producer_batch(batch), batch.last_offset(), batch.max_timestamp());
    return std::nullopt;
  }
  const auto facts = parse_marker(batch);
  if (!facts) {
    // A marker whose record was cleaned away still says the producer's epoch.
    auto& entry = entries_[batch.producer_id()];
    if (entry.epoch < batch.producer_epoch()) {
      end(batch.producer_id(), batch.producer_epoch(), entry.coordinator_epoch,
          batch.max_timestamp());
    }
    return std::nullopt;
  }
  const EndMarker marker{batch.producer_id(), batch.producer_epoch(), facts->end,
                         facts->coordinator_epoch};
  auto aborted = aborted_by(marker, batch.base_offset());
  end(marker.producer_id, marker.epoch, marker.coordinator_epoch, batch.max_timestamp());
  return aborted;
}

void Producers::end(std::int64_t id, std::int16_t epoch, std::int32_t coordinator_epoch,
                    TimestampMs time) {
  auto& entry = entries_[id];
  if (entry.epoch != epoch) {
    entry.recent = {};
    entry.last_sequence = -1;
    entry.last_offset = -1;
    entry.offset_delta = 0;
  }
  ++entry.end_markers;
  entry.epoch = epoch;
  entry.coordinator_epoch = coordinator_epoch;
  entry.timestamp = time.value;
  if (entry.transaction_start >= 0) open_.erase({Offset(entry.transaction_start), id});
  entry.transaction_start = -1;
}

std::optional<AbortedTransaction> Producers::aborted_by(const EndMarker& marker, Offset at) const {
  const auto* entry = find(marker.producer_id);
  if (marker.end != TransactionEnd::kAbort || entry == nullptr || entry->transaction_start < 0) {
    return std::nullopt;
  }
  return AbortedTransaction{marker.producer_id, Offset(entry->transaction_start), at,
                            stable_after(marker.producer_id, at)};
}

Offset Producers::stable_after(std::int64_t id, Offset marker) const {
  const auto other = std::ranges::find_if(open_, [&](const auto& o) { return o.second != id; });
  return other == open_.end() ? marker + 1 : other->first;
}

std::optional<Offset> Producers::first_open() const {
  if (open_.empty()) return std::nullopt;
  return open_.begin()->first;
}

std::size_t Producers::expire(TimestampMs before, std::int64_t below_id) {
  return std::erase_if(entries_, [&](const auto& one) {
    const auto& [id, entry] = one;
    return id < below_id && entry.transaction_start < 0 && entry.timestamp < before.value;
  });
}

std::optional<Offset> Producers::stored_at(const ProducerBatch& batch) const {
  const auto* entry = find(batch.id);
  if (entry == nullptr || entry->epoch != batch.epoch) return std::nullopt;
  const auto last = (static_cast<std::uint32_t>(batch.first_sequence) +
                     static_cast<std::uint32_t>(batch.count) - 1) &
                    kSequenceMask;
  const auto found = std::ranges::find_if(entry->recent, [&](const StoredBatch& stored) {
    return stored.first_sequence == batch.first_sequence && stored.last_sequence >= 0 &&
           static_cast<std::uint32_t>(stored.last_sequence) == last;
  });
  if (found == entry->recent.end()) return std::nullopt;
  return found->base;
}

ProducerBatch producer_batch(const BatchView& batch) {
  return {batch.producer_id(), batch.producer_epoch(), batch.base_sequence(),
          batch.last_offset_delta() + 1, batch.transactional()};
}

std::optional<std::int32_t> Producers::last_sequence(std::int64_t id) const {
  const auto* entry = find(id);
  if (entry == nullptr || entry->last_sequence < 0) return std::nullopt;
  return entry->last_sequence;
}

const ProducerEntry* Producers::find(std::int64_t id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<ProducerState> Producers::states() const {
  std::vector<ProducerState> states;
  states.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) {
    states.push_back({id, entry.epoch, entry.last_sequence, TimestampMs(entry.timestamp),
                      entry.coordinator_epoch, Offset(entry.transaction_start)});
  }
  return states;
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
    append_be(out, entry.coordinator_epoch);
    append_be(out, entry.transaction_start);
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
    ProducerEntry entry;
    entry.epoch = load_be<std::int16_t>(at + 8);
    entry.last_sequence = load_be<std::int32_t>(at + 10);
    entry.last_offset = load_be<std::int64_t>(at + 14);
    entry.offset_delta = load_be<std::int32_t>(at + 22);
    entry.timestamp = load_be<std::int64_t>(at + 26);
    entry.coordinator_epoch = load_be<std::int32_t>(at + 34);
    entry.transaction_start = load_be<std::int64_t>(at + 38);
    if (entry.last_sequence >= 0) {
      entry.recent[entry.recent_end++] = {
          static_cast<std::int32_t>(distance(entry.offset_delta, entry.last_sequence)),
          entry.last_sequence, Offset(entry.last_offset - entry.offset_delta)};
    }
    const auto id = load_be<std::int64_t>(at);
    if (entry.transaction_start >= 0) producers.open_.emplace(Offset(entry.transaction_start), id);
    producers.entries_.emplace(id, entry);
  }
  return producers;
}

}  // namespace tailrace::log
