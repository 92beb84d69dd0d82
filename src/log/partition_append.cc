// Appending: sequences, encoding, rolling, group commit.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "log/partition_log.h"

namespace tailrace::log {
namespace {

/// Batches built here are cut at about this size, which suits readers and compression.
constexpr std::size_t kTargetBatchBytes = 512 << 10;
constexpr std::size_t kMaxAppendBytes = 1 << 30;

std::unexpected<Error> too_large(Code code, const std::string& where, std::size_t size,
                                 std::int64_t limit) {
  return error(code, fmt::format("{}: a record of {} bytes is larger than max.message.bytes={}",
                                 where, size, limit));
}

void stamp(std::string& bytes, std::size_t at, Offset base) {
  store_be(bytes.data() + at, base.value);
  store_be<std::int32_t>(bytes.data() + at + 12, 0);
}

}  // namespace

Status PartitionLog::check_writable() const {
  const std::unique_lock lock(mutex_);
  if (closed_) return error(Code::kCancelled, name() + " is closed");
  if (failed_) return std::unexpected(*failed_);
  return {};
}

Result<AppendResult> PartitionLog::append(std::span<const Record> records, const Producer& producer,
                                          Durability durability) {
  std::unique_lock append_lock(append_mutex_);
  TRY(check_writable());
  ASSIGN(auto result, append_locked(records, producer));
  TRY(commit(durability, append_lock));
  return result;
}

Result<AppendResult> PartitionLog::append_locked(std::span<const Record> records,
                                                 const Producer& producer) {
  const Offset base = active_->next();
  std::int64_t known = 0;
  if (records.size() > INT32_MAX) return error(Code::kInvalidArgument, "too many records at once");
  const ProducerBatch facts{producer.id, producer.epoch, wrap_sequence(producer.first_sequence),
                            static_cast<std::int32_t>(records.size()), producer.transactional};
  if (compaction_.on && !std::ranges::all_of(records, [](auto& r) { return !!r.key; })) {
    return error(Code::kInvalidArgument, name() + ": a record without key in a compacted topic");
  }
  if (producer.id >= 0 && !records.empty()) {
    auto prefix = producers_.known_prefix(facts);
    if (!prefix) return std::unexpected(prefix.error().in(name()));
    known = *prefix;
  }
  const auto rest = records.subspan(static_cast<std::size_t>(known));
  AppendResult result{base, static_cast<std::int64_t>(rest.size()), known};
  if (rest.empty()) {
    result.base_offset = producers_.stored_at(facts).value_or(base);
    return result;
  }
  TRY(encode(rest, producer, producer.first_sequence + known, base));
  TRY(write_out());
  return result;
}

Status PartitionLog::encode(std::span<const Record> records, const Producer& producer,
                            std::int64_t position, Offset base) {
  Producer stamped = producer;
  stamped.first_sequence = position;
  const auto limit = static_cast<std::size_t>(settings_.max_message_bytes);
  const std::size_t target = std::min(limit, kTargetBatchBytes);
  const TimestampMs now = clock_.now();
  if (builder_.compression() != settings_.compression) {
    builder_ = RecordBatchBuilder(settings_.compression);
  }
  builder_.clear();
  for (const auto& given : records) {
    Record record = given;
    if (record.timestamp.value < 0) record.timestamp = now;
    const std::size_t most = RecordBatchBuilder::max_bytes(record);
    if (kBatchHeaderBytes + most > limit)
      return too_large(Code::kInvalidArgument, name(), most, settings_.max_message_bytes);
    if (!builder_.empty() && builder_.size_bytes() + most > target) {
      TRY(finish_batch(stamped, base));
    }
    builder_.add(record);
  }
  TRY(finish_batch(stamped, base));
  to_write_ = builder_.batches();
  if (!arrival_.log_append_time) return {};
  write_buffer_.clear();
  BatchReader batches(to_write_);
  for (BatchView batch; batches.next(batch);) {
    TRY(store_arrived(batch, arrival_, now, write_buffer_));
  }
  to_write_ = write_buffer_;
  return {};
}

Status PartitionLog::finish_batch(Producer& producer, Offset& base) {
  const auto count = builder_.count();
  TRY(builder_.finish_and_go_on(producer, base));
  if (builder_.batches().size() > kMaxAppendBytes) {
    return error(Code::kInvalidArgument, name() + ": more than 1 GiB in one append");
  }
  if (producer.first_sequence >= 0) producer.first_sequence += count;
  base = base + count;
  return {};
}

Result<AppendResult> PartitionLog::append_batches(std::string_view encoded, Durability durability,
                                                  std::optional<std::uint64_t> verified) {
  std::unique_lock append_lock(append_mutex_);
  TRY(check_writable());
  if (encoded.size() > kMaxAppendBytes) {
    return error(Code::kInvalidArgument, name() + ": more than 1 GiB in one append");
  }
  Offset base = active_->next();
  AppendResult result{base, 0, 0};
  Producers earlier;
  write_buffer_.clear();
  while (!encoded.empty()) {
    auto batch = BatchView::parse(encoded);
    if (!batch) return error(Code::kDataLoss, name() + ": " + batch.error().what);
    const auto appended = result.appended;
    TRY(take_batch(*batch, earlier, base, result));
    if (verified && result.appended > appended) TRY(check_verified(*batch, *verified));
    encoded.remove_prefix(batch->bytes().size());
  }
  to_write_ = write_buffer_;
  if (!to_write_.empty()) TRY(write_out());
  TRY(commit(durability, append_lock));
  return result;
}

Status PartitionLog::check_verified(const BatchView& batch, std::uint64_t verified) const {
  const auto* entry = producers_.find(batch.producer_id());
  if ((entry == nullptr ? 0 : entry->end_markers) == verified) return {};
  return error(Code::kAlreadyExists,
               fmt::format("{}: the transaction of producer {} ended while it was verified", name(),
                           batch.producer_id()));
}

Status PartitionLog::check_batch(const BatchView& batch) const {
  if (!batch.crc_matches()) {
    return error(Code::kDataLoss, name() + ": the CRC of a record batch does not match");
  }
  const std::int64_t count = batch.record_count();
  if (count == 0 || count != batch.last_offset_delta() + 1) {
    return error(Code::kInvalidArgument, name() + ": offsets with gaps");
  }
  if (batch.control()) return error(Code::kInvalidArgument, name() + ": a control batch");
  if (batch.transactional() && (batch.producer_id() < 0 || batch.base_sequence() < 0)) {
    return error(Code::kInvalidArgument, name() + ": a transactional batch without producer");
  }
  if (compaction_.on) TRY(check_keys(batch));
  if (auto times = check_times(batch, arrival_, clock_.now()); !times) {
    return std::unexpected(times.error().in(name()));
  }
  return check_size(batch.bytes().size());
}

Status PartitionLog::check_size(std::size_t batch_bytes) const {
  if (static_cast<std::int64_t>(batch_bytes) <= settings_.max_message_bytes) return {};
  return too_large(Code::kOutOfRange, name(), batch_bytes, settings_.max_message_bytes);
}

Status PartitionLog::check_keys(const BatchView& batch) const {
  std::string plain;
  ASSIGN(auto records, batch.records(plain));
  for (RecordView record; records.next(record);) {
    if (!record.key) {
      return error(Code::kInvalidArgument, name() + ": a record without key in a compacted topic");
    }
  }
  return records.status();
}

Result<std::int64_t> PartitionLog::known_prefix(const BatchView& batch,
                                                const Producers& earlier) const {
  const ProducerBatch facts = producer_batch(batch);
  const bool here = earlier.find(batch.producer_id()) != nullptr;
  auto known = (here ? earlier : producers_).known_prefix(facts);
  if (!known) return std::unexpected(known.error().in(name()));
  return *known;
}

Status PartitionLog::take_batch(const BatchView& batch, Producers& earlier, Offset& base,
                                AppendResult& result) {
  TRY(check_batch(batch));
  const std::int64_t count = batch.record_count();
  std::int64_t known = 0;
  if (batch.producer_id() >= 0 && batch.base_sequence() >= 0) {
    ASSIGN(known, known_prefix(batch, earlier));
  }
  if (known == count && result.appended + result.duplicates == 0) {
    result.base_offset = producers_.stored_at(producer_batch(batch)).value_or(base);
  }
  if (known < count && result.appended == 0) result.base_offset = base;
  result.duplicates += known;
  result.appended += count - known;
  if (known == count) return {};
  if (known > 0) {
    TRY(take_rest(batch, known, base));
  } else {
    const std::size_t at = write_buffer_.size();
    const TimestampMs now = clock_.now();
    TRY(store_arrived(batch, arrival_, now, write_buffer_));
    TRY(check_size(write_buffer_.size() - at));
    if (arrival_.log_append_time) result.log_append_time = now;
    stamp(write_buffer_, at, base);
    base = base + count;
  }
  earlier.note(batch);
  return {};
}

Status PartitionLog::take_rest(const BatchView& batch, std::int64_t known, Offset& base) {
  std::string plain;
  ASSIGN(auto reader, batch.records(plain));
  RecordBatchBuilder builder(batch.compression());
  std::vector<Header> headers;
  RecordView view;
  for (std::int64_t i = 0; reader.next(view); ++i) {
    if (i < known) continue;
    headers.clear();
    for (Header header; view.headers.next(header);) headers.push_back(header);
    builder.add({view.key, view.value, TimestampMs(std::max<std::int64_t>(0, view.timestamp.value)),
                 headers});
  }
  TRY(reader.status());
  if (builder.empty()) return error(Code::kInvalidArgument, name() + ": a batch lacks records");
  const auto count = builder.count();
  TRY(builder.finish_and_go_on(
      {batch.producer_id(), batch.producer_epoch(), std::int64_t{batch.base_sequence()} + known},
      base));
  if (write_buffer_.size() + builder.batches().size() > kMaxAppendBytes) {
    return error(Code::kInvalidArgument, name() + ": more than 1 GiB in one append");
  }
  ASSIGN(const auto rest, BatchView::parse(builder.batches()));
  TRY(store_arrived(rest, arrival_, clock_.now(), write_buffer_));
  base = base + count;
  return {};
}

Result<Offset> PartitionLog::end_transaction(const EndMarker& marker, Durability durability) {
  std::unique_lock append_lock(append_mutex_);
  TRY(check_writable());
  if (auto allowed = producers_.check_marker(marker); !allowed) {
    return std::unexpected(allowed.error().in(name()));
  }
  const Offset at = active_->next();
  write_buffer_ = marker_batch(marker, clock_.now());
  stamp(write_buffer_, 0, at);
  to_write_ = write_buffer_;
  TRY(write_out(&marker));
  TRY(commit(durability, append_lock));
  return at;
}

Status PartitionLog::skip_to(Offset to) {
  constexpr std::int64_t kMostAtOnce = 1 << 24;
  std::unique_lock append_lock(append_mutex_);
  TRY(check_writable());
  while (active_->next() < to) {
    const std::int64_t count = std::min<std::int64_t>(to - active_->next(), kMostAtOnce);
    write_buffer_ = empty_batch(static_cast<std::int32_t>(count - 1), clock_.now());
    stamp(write_buffer_, 0, active_->next());
    to_write_ = write_buffer_;
    TRY(write_out());
  }
  return commit(Durability::kSync, append_lock);
}

Status PartitionLog::write_out(const EndMarker* marker) {
  TRY(roll_if_needed());
  const auto aborted = marker != nullptr ? producers_.aborted_by(*marker, active_->next())
                                         : std::optional<AbortedTransaction>();
  if (aborted) {
    const std::unique_lock lock(mutex_);
    TRY(active_->add_aborted(*aborted));
  }
  {
    const std::unique_lock lock(mutex_);
    TRY(active_->make_writable());
  }
  if (auto written = active_->write(to_write_); !written) {
    const std::unique_lock lock(mutex_);
    if (aborted && !active_->drop_last_aborted()) failed_ = written.error().in(name());
    return std::unexpected(written.error().in(name()));
  }
  const Offset before = active_->next();
  {
    const std::unique_lock lock(mutex_);
    active_->note(to_write_, settings_.index_interval_bytes);
    BatchReader reader(to_write_);
    for (BatchView batch; reader.next(batch);) producers_.note(batch);
    since_checkpoint_ += to_write_.size();
    changed_.notify_all();
  }
  traffic_.messages_in.add(static_cast<std::uint64_t>(active_->next() - before));
  traffic_.bytes_in.add(to_write_.size());
  owner_.on_append(*this, to_write_.size());
  return {};
}

/// Less a part of the jitter, another in each segment, so that partitions that began together do
/// not close theirs together.
std::int64_t PartitionLog::longest_active_ms() const {
  const auto longest = compaction_.longest_active_ms;
  const auto jitter = std::min(jitter_ms_, longest);
  if (jitter <= 0) return longest;
  const auto seed = std::hash<std::string>{}(folder_ + offset_name(active_->base()));
  return longest - static_cast<std::int64_t>(seed % static_cast<std::uint64_t>(jitter));
}

Status PartitionLog::roll_if_needed() {
  if (active_->size_bytes() == 0) {
    segment_since_ = clock_.now();
    return {};
  }
  const auto most = static_cast<std::uint64_t>(settings_.segment_bytes);
  const bool full = active_->size_bytes() + to_write_.size() > most;
  const bool old = clock_.now() - segment_since_ > longest_active_ms();
  const bool far = active_->next() - active_->base() > INT32_MAX - (1 << 26);
  return full || old || far ? roll() : Status{};
}

Status PartitionLog::roll() {
  TRY(sync_to(active_->next()));
  const Offset base = active_->next();
  TRY(active_->sync_aborted());
  TRY(write_snapshot(base));
  ASSIGN(auto fresh, Segment::open(files_, folder_, base));
  TRY(fresh->rewind({0, base}));
  TRY(fresh->merge_aborted(base, {}));
  TRY(files_.sync_folder(folder_));
  segment_since_ = clock_.now();
  const std::unique_lock lock(mutex_);
  TRY(active_->seal());
  segments_[base] = active_ = std::move(fresh);
  return {};
}

Status PartitionLog::commit(Durability durability, std::unique_lock<std::mutex>& append_lock) {
  const Offset end = active_->next();
  if (since_checkpoint_ >= checkpoint_interval_bytes_) {
    // The records are written: a checkpoint that fails costs time at the next start, not data.
    if (auto noted = checkpoint_locked(); !noted) {
      LOG_OF(warn, log_of("topic", topic_, "partition", id_.value), "{}: no checkpoint: {}", name(),
             noted.error().what);
      since_checkpoint_ = 0;
    }
  }
  append_lock.unlock();
  if (durability == Durability::kNoSync) return {};
  return sync_to(end);
}

Status PartitionLog::sync() {
  return sync_to(next_offset());
}

Status PartitionLog::sync_to(Offset end) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (failed_) return std::unexpected(*failed_);
    if (durable_end_ >= end) return {};
    if (!syncing_) break;
    changed_.wait(lock);
  }
  // This thread leads: everything written so far becomes durable by its one fdatasync.
  syncing_ = true;
  const auto writer = active_->writer();
  const Offset covered = active_->next();
  lock.unlock();
  const auto done = writer ? writer->sync() : Status{};
  lock.lock();
  syncing_ = false;
  return synced_locked(covered, done);
}

Status PartitionLog::note_synced(Offset covered, const Status& synced) {
  const std::unique_lock lock(mutex_);
  if (failed_) return std::unexpected(*failed_);
  return synced_locked(covered, synced);
}

Status PartitionLog::synced_locked(Offset covered, const Status& synced) {
  if (synced) {
    durable_end_ = std::max(durable_end_, covered);
  } else {
    failed_ = synced.error().in(name() + ": writes stop until the log is opened again");
  }
  changed_.notify_all();
  return synced;
}

}  // namespace tailrace::log
