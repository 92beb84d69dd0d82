#include "log/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <ranges>
#include <tuple>

#include "base/bytes.h"
#include "base/check.h"
#include "base/log.h"

namespace tailrace::log {
namespace {

constexpr std::size_t kOffsetEntryBytes = 8;
constexpr std::size_t kTimeEntryBytes = 12;
constexpr std::size_t kCheckBytes = 4;
/// Entries that are kept back until they are written in one go.
constexpr std::size_t kPendingBytes = 4096;

std::uint64_t new_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

std::string offset_name(Offset offset) {
  return fmt::format("{:020}", offset.value);
}

Status IndexFile::load() {
  auto reader = files_->open_readable(path_);
  if (!reader) {
    count_ = 0;
    if (reader.error().code == Code::kNotFound) return {};
    return std::unexpected(reader.error());
  }
  ASSIGN(const auto size, (*reader)->size());
  count_ = size / entry_bytes_;
  return {};
}

Result<std::unique_ptr<rt::WritableFile>> IndexFile::open_writer() const {
  ASSIGN(auto writer, files_->open_writable(path_));
  if (writer->size() != stored() * entry_bytes_) TRY(writer->truncate(stored() * entry_bytes_));
  return writer;
}

void IndexFile::append(std::string_view entry) {
  DCHECK(entry.size() == entry_bytes_);
  pending_.append(entry);
  ++count_;
  if (pending_.size() >= kPendingBytes) static_cast<void>(flush());
}

Status IndexFile::write(std::string_view entries) {
  ASSIGN(const auto writer, open_writer());
  unsynced_ = true;
  return writer->append(entries);
}

Status IndexFile::flush() {
  if (pending_.empty()) return {};
  auto done = write(pending_);
  if (!done) count_ = stored();
  pending_.clear();
  return done;
}

Status IndexFile::add(std::string_view entry) {
  TRY(flush());
  TRY(write(entry));
  ++count_;
  return {};
}

Status IndexFile::truncate(std::size_t count) {
  static_cast<void>(flush());
  count_ = std::min(count_, count);
  unsynced_ = true;
  TRY(open_writer());
  return {};
}

Status IndexFile::sync() {
  static_cast<void>(flush());
  if (!unsynced_) return {};
  ASSIGN(const auto writer, open_writer());
  TRY(writer->sync());
  unsynced_ = false;
  return {};
}

void IndexFile::write_out() {
  static_cast<void>(flush());
  unsynced_ = false;
}

Status IndexFile::hold() const {
  if (!reader_ && stored() > 0) {
    ASSIGN(reader_, files_->open_readable(path_));
  }
  return {};
}

Result<std::string> IndexFile::entries(std::size_t first, std::size_t count) const {
  TRY(hold());
  const std::size_t from_file = first < stored() ? std::min(count, stored() - first) : 0;
  std::string bytes(from_file * entry_bytes_, '\0');
  if (from_file > 0) {
    if (!reader_) return error(Code::kDataLoss, path_ + " is cut short");
    ASSIGN(const auto got, reader_->read_at(first * entry_bytes_, bytes.data(), bytes.size()));
    if (got != bytes.size()) return error(Code::kDataLoss, path_ + " is cut short");
  }
  if (from_file < count) {
    const std::size_t at = (first + from_file - stored()) * entry_bytes_;
    bytes += pending_.substr(at, (count - from_file) * entry_bytes_);
  }
  return bytes;
}

Segment::Segment(rt::FileSystem& files, std::string stem, Offset base, std::string_view suffix)
    : files_(files),
      id_(new_id()),
      base_(base),
      stem_(std::move(stem)),
      suffix_(suffix),
      log_path_(stem_ + ".log" + suffix_),
      next_(base),
      max_timestamp_offset_(base),
      offsets_(files, stem_ + ".index" + suffix_, kOffsetEntryBytes),
      times_(files, stem_ + ".timeindex" + suffix_, kTimeEntryBytes),
      aborted_(files, stem_ + ".txnindex" + suffix_, kAbortedEntryBytes),
      checks_(files, stem_ + ".txncheck" + suffix_, kCheckBytes) {}

Result<std::shared_ptr<Segment>> Segment::open(rt::FileSystem& files, const std::string& folder,
                                               Offset base, std::string_view suffix) {
  std::shared_ptr<Segment> segment(
      new Segment(files, folder + "/" + offset_name(base), base, suffix));
  ASSIGN(segment->writer_, files.open_writable(segment->log_path_));
  ASSIGN(segment->data_, files.open_readable(segment->log_path_));
  ASSIGN(segment->size_, segment->data_->size());
  TRY(segment->offsets_.load());
  TRY(segment->times_.load());
  TRY(segment->aborted_.load());
  TRY(segment->checks_.load());
  return segment;
}

Result<SegmentPlace> Segment::index_entry(std::size_t i) const {
  ASSIGN(const auto bytes, offsets_.entry(i));
  return SegmentPlace{load_be<std::uint32_t>(bytes.data() + 4),
                      base_ + load_be<std::int32_t>(bytes.data())};
}

Result<std::pair<TimestampMs, Offset>> Segment::time_entry(std::size_t i) const {
  ASSIGN(const auto bytes, times_.entry(i));
  return std::pair(TimestampMs(load_be<std::int64_t>(bytes.data())),
                   base_ + load_be<std::int32_t>(bytes.data() + 8));
}

bool Segment::indexes_look_right() const {
  if (size_ == 0) return offsets_.count() == 0;
  if (times_.count() == 0) return false;
  const auto time = time_entry(times_.count() - 1);
  if (!time || time->first.value < 0 || time->second < base_ || time->second >= next_) return false;
  if (offsets_.count() == 0) return true;
  const auto last = index_entry(offsets_.count() - 1);
  return last && last->position < size_ && last->offset >= base_ && last->offset < next_;
}

Status Segment::trust(Offset next, Gaps gaps) {
  next_ = next;
  writer_.reset();
  if (indexes_look_right()) {
    if (times_.count() == 0) return {};
    ASSIGN(const auto time, time_entry(times_.count() - 1));
    max_timestamp_ = time.first;
    return {};
  }
  TRY(rewind({0, base_}));
  ASSIGN(const auto size, data_->size());
  ASSIGN(const auto scan, scan_batches(*data_, {0, base_}, size, gaps,
                                       [&](const BatchView& batch, std::uint64_t position) {
                                         note_batch(batch, position, 4096);
                                         return Status();
                                       }));
  size_ = size;
  next_ = next;
  if (!scan.flaw.empty()) {
    return error(Code::kDataLoss, fmt::format("@{}: {} at byte {}: {}", scan.end.offset.value,
                                              log_path_, scan.end.position, scan.flaw));
  }
  return seal();
}

void Segment::add_last_time() {
  if (max_timestamp_ > indexed_timestamp_) {
    std::string entry;
    append_be(entry, max_timestamp_.value);
    append_be(entry, static_cast<std::int32_t>(max_timestamp_offset_ - base_));
    times_.append(entry);
    indexed_timestamp_ = max_timestamp_;
  }
}

void Segment::write_out_indexes() {
  add_last_time();
  offsets_.write_out();
  aborted_.write_out();
  checks_.write_out();
  times_.write_out();
}

Status Segment::sync_indexes() {
  add_last_time();
  TRY(offsets_.sync());
  TRY(sync_aborted());
  return times_.sync();
}

Status Segment::seal() {
  if (writer_) TRY(writer_->sync());
  TRY(sync_indexes());
  rest();
  return {};
}

Status Segment::make_writable() {
  if (writer_) return {};
  ASSIGN(writer_, files_.open_writable(log_path_));
  return {};
}

Status Segment::write(std::string_view batches) {
  if (broken_) {
    TRY(writer_->truncate(size_));
    broken_ = false;
  }
  auto written = writer_->append(batches);
  if (!written) broken_ = !writer_->truncate(size_);
  return written;
}

void Segment::note(std::string_view batches, std::int64_t index_interval_bytes) {
  BatchReader reader(batches);
  std::uint64_t position = size_;
  for (BatchView batch; reader.next(batch); position += batch.bytes().size()) {
    note_batch(batch, position, index_interval_bytes);
  }
}

void Segment::note_batch(const BatchView& batch, std::uint64_t position,
                         std::int64_t index_interval) {
  const auto relative = static_cast<std::int32_t>(batch.last_offset() - base_);
  // Of a batch without records the time says nothing (and Kafka's tools miss the record).
  if (batch.max_timestamp() > max_timestamp_ && batch.record_count() > 0) {
    max_timestamp_ = batch.max_timestamp();
    max_timestamp_offset_ = batch.last_offset();
  }
  if (since_index_ > static_cast<std::uint64_t>(index_interval)) {
    std::string entry;
    append_be(entry, relative);
    append_be(entry, static_cast<std::int32_t>(position));
    offsets_.append(entry);
    if (max_timestamp_ > indexed_timestamp_) {
      entry.clear();
      append_be(entry, max_timestamp_.value);
      append_be(entry, static_cast<std::int32_t>(max_timestamp_offset_ - base_));
      times_.append(entry);
      indexed_timestamp_ = max_timestamp_;
    }
    since_index_ = 0;
  }
  since_index_ += batch.bytes().size();
  size_ = position + batch.bytes().size();
  next_ = batch.next_offset();
}

SegmentPlace Segment::floor(Offset offset) const {
  std::size_t low = 0;
  std::size_t high = offsets_.count();
  SegmentPlace best{0, base_};
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const auto entry = index_entry(middle);
    if (!entry || entry->position >= size_) return {0, base_};
    if (entry->offset <= offset) {
      best = *entry;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return best;
}

Offset Segment::floor_time(TimestampMs time) const {
  std::size_t low = 0;
  std::size_t high = times_.count();
  Offset best = base_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const auto entry = time_entry(middle);
    if (!entry) return base_;
    if (entry->first < time) {
      best = entry->second;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return best;
}

Status Segment::rewind(SegmentPlace place) {
  std::size_t offsets = 0;
  SegmentPlace before{0, base_ - 1};
  while (offsets < offsets_.count()) {
    const auto entry = index_entry(offsets);
    if (!entry || entry->offset <= before.offset || entry->position >= place.position) break;
    if (offsets > 0 && entry->position <= before.position) break;
    before = *entry;
    ++offsets;
  }
  std::size_t times = 0;
  max_timestamp_ = indexed_timestamp_ = TimestampMs(-1);
  max_timestamp_offset_ = base_;
  while (times < times_.count()) {
    const auto entry = time_entry(times);
    if (!entry || entry->first <= max_timestamp_ || entry->second >= place.offset ||
        entry->second < base_) {
      break;
    }
    std::tie(max_timestamp_, max_timestamp_offset_) = *entry;
    ++times;
  }
  indexed_timestamp_ = max_timestamp_;
  since_index_ = 0;
  size_ = place.position;
  next_ = place.offset;
  TRY(offsets_.truncate(offsets));
  return times_.truncate(times);
}

Status Segment::start_anew() {
  TRY(rewind({0, base_}));
  TRY(truncate_aborted(0));
  return cut();
}

Status Segment::cut() {
  TRY(make_writable());
  TRY(writer_->truncate(size_));
  return writer_->sync();
}

Status Segment::add_aborted(const AbortedTransaction& transaction) {
  std::string entry;
  append_aborted(entry, transaction);
  std::string check;
  append_be(check, crc32c(entry));
  TRY(aborted_.add(entry));
  if (auto checked = checks_.add(check); !checked) {
    static_cast<void>(aborted_.truncate(aborted_.count() - 1));
    return checked;
  }
  return {};
}

Status Segment::drop_last_aborted() {
  return truncate_aborted(aborted_.count() - 1);
}

Status Segment::truncate_aborted(std::size_t count) {
  TRY(aborted_.truncate(count));
  return checks_.truncate(count);
}

Status Segment::sync_aborted() {
  TRY(aborted_.sync());
  return checks_.sync();
}

bool Segment::aborted_is_sound() const {
  return aborted_.count() == checks_.count() && aborted().has_value();
}

Result<std::vector<AbortedTransaction>> Segment::aborted() const {
  return aborted(0, aborted_.count());
}

Result<std::vector<AbortedTransaction>> Segment::aborted(std::size_t first,
                                                         std::size_t count) const {
  std::vector<AbortedTransaction> found;
  if (count == 0) return found;
  ASSIGN(const auto bytes, aborted_.entries(first, count));
  ASSIGN(const auto checks, checks_.entries(first, count));
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = std::string_view(bytes).substr(i * kAbortedEntryBytes, kAbortedEntryBytes);
    if (crc32c(entry) != load_be<std::uint32_t>(checks.data() + i * kCheckBytes)) {
      return error(Code::kDataLoss,
                   fmt::format("{}.txnindex{}: entry {} is damaged; the next start makes the file "
                               "anew from the records",
                               stem_, suffix_, first + i));
    }
    ASSIGN(const auto one, parse_aborted(entry));
    found.push_back(one);
  }
  return found;
}

Status Segment::merge_aborted(Offset from, std::vector<AbortedTransaction> seen) {
  const bool sound = aborted_is_sound();
  auto present = aborted();
  if (!sound) present = std::vector<AbortedTransaction>();  // made anew
  std::vector<AbortedTransaction> merged;
  for (const auto& one : *present) {
    if (one.last < from) merged.push_back(one);
  }
  for (auto& one : seen) {
    if (one.first.value < 0) {
      const auto same = std::ranges::find_if(*present, [&](const AbortedTransaction& old) {
        return old.producer_id == one.producer_id && old.last == one.last;
      });
      if (same == present->end()) continue;
      one = *same;
    }
    merged.push_back(one);
  }
  if (sound && merged == *present) return {};
  TRY(truncate_aborted(0));
  for (const auto& one : merged) TRY(add_aborted(one));
  return sync_aborted();
}

Result<bool> Segment::collect_aborted(Offset from, Offset upto,
                                      std::vector<AbortedTransaction>& found) const {
  constexpr std::size_t kAtOnce = 128;
  std::size_t low = 0;
  std::size_t high = aborted_.count();
  while (low < high) {  // the first one that ends at `from` or later
    const std::size_t middle = (low + high) / 2;
    ASSIGN(const auto one, aborted(middle, 1));
    if (one.front().last < from) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  while (low < aborted_.count()) {
    const std::size_t count = std::min(kAtOnce, aborted_.count() - low);
    ASSIGN(const auto some, aborted(low, count));
    for (const auto& one : some) {
      if (one.last >= from && one.first < upto) found.push_back(one);
      if (one.last_stable >= upto) return true;
    }
    low += count;
  }
  return false;
}

Status Segment::hold_files() const {
  TRY(offsets_.hold());
  TRY(times_.hold());
  TRY(aborted_.hold());
  return checks_.hold();
}

Status Segment::remove_files(rt::FileSystem& files) const {
  for (const auto suffix : kSegmentSuffixes | std::views::reverse) {
    TRY(files.remove(stem_ + std::string(suffix) + suffix_));
  }
  return suffix_.empty() ? files.remove(stem_ + ".snapshot") : Status();
}

}  // namespace tailrace::log
