#include "log/partition_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "log/setting_number.h"

namespace tailrace::log {
namespace {

/// Reads of at least so many bytes are of one who catches up, not of one who waits at the end.
constexpr std::size_t kReadsOn = 128 << 10;

/// To at least `size` bytes, which will be written over: they are not set to anything.
void grow(std::string& bytes, std::size_t size) {
  if (bytes.size() >= size) return;
  bytes.resize_and_overwrite(size, [](char*, std::size_t all) { return all; });
}

std::int64_t jitter_of(const TopicSettings& settings) {
  std::int64_t jitter_ms = 0;
  read_number(settings, "segment.jitter.ms", jitter_ms);
  return jitter_ms;
}

}  // namespace

PartitionLog::PartitionLog(const PartitionStart& start, std::uint64_t checkpoint_interval_bytes,
                           rt::FileSystem& files, rt::Clock& clock, PartitionOwner& owner)
    : topic_(start.topic),
      id_(start.id),
      folder_(start.folder),
      checkpoint_interval_bytes_(checkpoint_interval_bytes),
      files_(files),
      clock_(clock),
      owner_(owner),
      settings_(start.settings),
      compaction_(compaction_settings(start.settings)),
      jitter_ms_(jitter_of(start.settings)),
      arrival_(arrival_settings(start.settings)),
      log_start_(start.log_start),
      cleaned_to_(start.cleaned_to) {}

Result<std::shared_ptr<PartitionLog>> PartitionLog::open(const PartitionStart& start,
                                                         std::uint64_t checkpoint_interval_bytes,
                                                         rt::FileSystem& files, rt::Clock& clock,
                                                         PartitionOwner& owner) {
  std::shared_ptr<PartitionLog> opened(
      new PartitionLog(start, checkpoint_interval_bytes, files, clock, owner));
  TRY(opened->recover(start.recovery_point));
  if (opened->next_offset() < start.recovery_point) TRY(opened->skip_to(start.recovery_point));
  // Most partitions of a large log are not written to: they keep one file open, not two.
  if (opened->durable_end() == opened->next_offset()) opened->active_->rest();
  return opened;
}

std::string PartitionLog::name() const {
  return fmt::format("{}-{}", topic_, id_.value);
}

std::unexpected<Error> PartitionLog::corrupt(Offset offset, const Segment& segment,
                                             std::uint64_t position, std::string_view why) const {
  return error(Code::kDataLoss, fmt::format("{}@{}: {} is corrupt at byte {}: {}", name(),
                                            offset.value, segment.log_path(), position, why));
}

Result<PartitionLog::Found> PartitionLog::find(Offset offset, const ReadBuffer& buffer) const {
  const std::unique_lock lock(mutex_);
  if (offset < log_start_ || offset > active_->next()) {
    return error(Code::kOutOfRange,
                 fmt::format("{}: offset {} is not between {} and {}", name(), offset.value,
                             log_start_.value, active_->next().value));
  }
  auto at = segments_.upper_bound(offset);
  if (at != segments_.begin()) --at;
  const auto& segment = at->second;
  Found found{segment, segment->data(), {}, segment->size_bytes(), gaps()};
  if (buffer.partition_ == this && buffer.segment_id_ == segment->id() &&
      buffer.next_offset_ == offset && buffer.next_position_ <= found.limit) {
    found.place = {buffer.next_position_, offset};
    return found;
  }
  ASSIGN(found.place, place_of(*segment, offset));
  return found;
}

Status PartitionLog::read(Offset offset, std::size_t max_bytes, ReadBuffer& buffer, Offset upto) {
  buffer.size_ = 0;
  ASSIGN(auto found, find(offset, buffer));
  while (true) {
    ASSIGN(const bool filled, fill(found, offset, max_bytes, upto, buffer));
    if (filled) return {};
    const std::unique_lock lock(mutex_);
    const auto next = segments_.upper_bound(found.segment->base());
    if (next == segments_.end()) return {};
    const auto& segment = next->second;
    found = {segment, segment->data(), {0, next->first}, segment->size_bytes(), gaps()};
  }
}

Result<bool> PartitionLog::fill(const Found& found, Offset offset, std::size_t max_bytes,
                                Offset upto, ReadBuffer& buffer) {
  const bool gaps_allowed = found.gaps == Gaps::kAllowed;
  std::uint64_t position = found.place.position;
  std::string& bytes = buffer.bytes_;
  while (position < found.limit) {
    std::size_t wanted = std::max(max_bytes, kBatchHeaderBytes);
    wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, found.limit - position));
    grow(bytes, wanted);
    ASSIGN(std::size_t got, found.data->read_at(position, bytes.data(), wanted));
    const auto facts = peek_batch(std::string_view(bytes).substr(0, got));
    if (!facts || facts->size > found.limit - position) {
      return corrupt(offset, *found.segment, position, "no record batch");
    }
    if (facts->last < offset) {
      position += facts->size;
      continue;
    }
    if (facts->base >= upto) return true;
    if (facts->size > got) {
      grow(bytes, facts->size);
      ASSIGN(got, found.data->read_at(position, bytes.data(), facts->size));
    }
    BatchReader reader(std::string_view(bytes).substr(0, got));
    Offset next = offset;
    for (BatchView batch; reader.next(batch) && batch.base_offset() < upto;) {
      // The CRC does not cover the base offset.
      const bool follows = batch.base_offset() == next ||
                           (batch.base_offset() < next ? buffer.size_ == 0 : gaps_allowed);
      if (!follows || !batch.crc_matches()) {
        if (buffer.size_ > 0) break;
        return corrupt(offset, *found.segment, position,
                       follows ? "the CRC does not match" : "a batch with a wrong offset");
      }
      buffer.size_ += batch.bytes().size();
      next = batch.next_offset();
    }
    if (buffer.size_ == 0) {
      return corrupt(offset, *found.segment, position, "the file is shorter than it was");
    }
    buffer.partition_ = this;
    buffer.segment_id_ = found.segment->id();
    buffer.next_offset_ = next;
    buffer.next_position_ = position + buffer.size_;
    // The disk works on the next part while the reader does on this one.
    if (buffer.size_ >= kReadsOn && buffer.next_position_ < found.limit) {
      found.data->will_read(buffer.next_position_,
                            static_cast<std::size_t>(std::min<std::uint64_t>(
                                buffer.size_, found.limit - buffer.next_position_)));
    }
    return true;
  }
  return false;
}

Offset PartitionLog::log_start() const {
  const std::unique_lock lock(mutex_);
  return log_start_;
}

Offset PartitionLog::next_offset() const {
  const std::unique_lock lock(mutex_);
  return active_->next();
}

Offset PartitionLog::stable_offset_locked() const {
  return std::max(log_start_, producers_.first_open().value_or(active_->next()));
}

Offset PartitionLog::last_stable_offset() const {
  const std::unique_lock lock(mutex_);
  return stable_offset_locked();
}

Result<std::vector<AbortedTransaction>> PartitionLog::aborted_transactions(Offset from,
                                                                           Offset upto) {
  const std::unique_lock lock(mutex_);
  std::vector<AbortedTransaction> found;
  auto at = segments_.upper_bound(from);
  if (at != segments_.begin()) --at;
  for (; at != segments_.end(); ++at) {
    auto all = at->second->collect_aborted(from, upto, found);
    if (!all) return std::unexpected(all.error().in(name()));
    if (*all) break;
  }
  return found;
}

std::vector<ProducerState> PartitionLog::active_producers() const {
  const std::unique_lock lock(mutex_);
  return producers_.states();
}

std::vector<ProducerState> PartitionLog::open_transactions(TimestampMs before) const {
  auto states = active_producers();
  std::erase_if(states, [&](const ProducerState& state) {
    return state.transaction_start.value < 0 || state.last_timestamp >= before;
  });
  return states;
}

bool PartitionLog::in_transaction(std::int64_t producer_id, std::int16_t epoch) const {
  const std::unique_lock lock(mutex_);
  const auto* entry = producers_.find(producer_id);
  return entry != nullptr && entry->epoch == epoch && entry->transaction_start >= 0;
}

std::uint64_t PartitionLog::end_markers(std::int64_t producer_id) const {
  const std::unique_lock lock(mutex_);
  const auto* entry = producers_.find(producer_id);
  return entry == nullptr ? 0 : entry->end_markers;
}

std::size_t PartitionLog::expire_producers(TimestampMs before) {
  const std::unique_lock append_lock(append_mutex_);
  const std::unique_lock lock(mutex_);
  return producers_.expire(before, kNamedProducers);
}

Offset PartitionLog::durable_end() const {
  const std::unique_lock lock(mutex_);
  return durable_end_;
}

Offset PartitionLog::cleaned_to() const {
  const std::unique_lock lock(mutex_);
  return cleaned_to_;
}

Offset PartitionLog::recovery_point() const {
  const std::unique_lock lock(mutex_);
  return recovery_point_;
}

std::uint64_t PartitionLog::size_bytes() const {
  const std::unique_lock lock(mutex_);
  std::uint64_t total = 0;
  for (const auto& [base, segment] : segments_) total += segment->size_bytes();
  return total;
}

std::optional<std::int32_t> PartitionLog::last_sequence(std::int64_t producer_id) const {
  const std::unique_lock lock(mutex_);
  return producers_.last_sequence(producer_id);
}

void PartitionLog::set_settings(const TopicSettings& settings) {
  const std::unique_lock append_lock(append_mutex_);
  const std::unique_lock lock(mutex_);
  settings_ = settings;
  compaction_ = compaction_settings(settings);
  jitter_ms_ = jitter_of(settings);
  arrival_ = arrival_settings(settings);
  retry_cleaning_at_ = TimestampMs(INT64_MIN);
}

void PartitionLog::close() {
  stop_cleaning_ = true;
  const std::unique_lock clean_lock(clean_mutex_);
  const std::unique_lock append_lock(append_mutex_);
  const std::unique_lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool PartitionLog::wait_for(Offset offset, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return closed_ || active_->next() > offset; });
  return active_->next() > offset;
}

Result<std::optional<TimedOffset>> PartitionLog::offset_for_time(TimestampMs time) {
  Offset from;
  {
    const std::unique_lock lock(mutex_);
    const auto found = std::ranges::find_if(segments_, [&](const auto& entry) {
      return entry.second->facts().max_timestamp >= time && entry.second->next() > log_start_;
    });
    if (found == segments_.end()) return std::nullopt;
    from = std::max(log_start_, found->second->floor_time(time));
  }
  return search_time(from, time);
}

Result<std::optional<TimedOffset>> PartitionLog::offset_of_max_timestamp() {
  TimestampMs newest{-1};
  {
    const std::unique_lock lock(mutex_);
    for (const auto& [base, segment] : segments_) {
      if (segment->next() > log_start_) newest = std::max(newest, segment->facts().max_timestamp);
    }
  }
  if (newest.value < 0) return std::nullopt;
  return offset_for_time(newest);
}

Result<std::optional<TimedOffset>> PartitionLog::search_time(Offset from, TimestampMs time) {
  ReadBuffer buffer;
  std::string plain;
  for (Offset at = from;;) {
    TRY(read(at, 1 << 20, buffer, Offset(INT64_MAX)));
    if (buffer.empty()) return std::nullopt;
    auto batches = buffer.batches();
    for (BatchView batch; batches.next(batch); at = batch.next_offset()) {
      if (batch.max_timestamp() < time) continue;
      ASSIGN(auto records, batch.records(plain));
      for (RecordView record; records.next(record);) {
        if (record.timestamp >= time && record.offset >= from) {
          return TimedOffset{record.offset, record.timestamp};
        }
      }
      TRY(records.status());
    }
  }
}

Status PartitionLog::delete_records(Offset before) {
  const std::unique_lock append_lock(append_mutex_);
  TRY(check_writable());
  if (before > active_->next()) {
    return error(Code::kOutOfRange, fmt::format("{}: cannot delete up to {}, the log ends at {}",
                                                name(), before.value, active_->next().value));
  }
  if (before <= log_start()) return {};
  TRY(sync_to(active_->next()));
  {
    const std::unique_lock lock(mutex_);
    log_start_ = before;
  }
  TRY(owner_.note_progress());
  std::size_t gone = 0;
  for (const auto& [base, segment] : segments_) {
    if (segment != active_ && segment->next() <= before) ++gone;
  }
  TRY(drop_segments(gone));
  return {};
}

Result<int> PartitionLog::apply_retention(Offset keep_from) {
  const std::unique_lock append_lock(append_mutex_);
  TRY(check_writable());
  const auto active = active_->facts();
  const bool active_expired = settings_.deletes_old() && settings_.retention_ms >= 0 &&
                              active.max_timestamp.value >= 0 &&
                              clock_.now() - active.max_timestamp > settings_.retention_ms;
  if (active_expired && active.size_bytes > 0 && active.next <= keep_from) TRY(roll());
  std::vector<SegmentFacts> facts;
  for (const auto& [base, segment] : segments_) facts.push_back(segment->facts());
  return drop_segments(expired_segments(facts, settings_, log_start(), clock_.now(), keep_from));
}

Result<int> PartitionLog::drop_segments(std::size_t count) {
  if (count == 0) return 0;
  std::vector<std::shared_ptr<Segment>> gone;
  {
    const std::unique_lock lock(mutex_);
    while (gone.size() < count) {
      gone.push_back(segments_.begin()->second);
      segments_.erase(segments_.begin());
    }
    log_start_ = std::max(log_start_, segments_.begin()->first);
  }
  // The start is durable before a file goes, so a crash in between leaves no hole.
  TRY(owner_.note_progress());
  for (const auto& segment : gone) TRY(segment->remove_files(files_));
  TRY(files_.sync_folder(folder_));
  return static_cast<int>(gone.size());
}

}  // namespace tailrace::log
