// Opening a partition: which files are trusted, what is scanned, and what a bad batch means.
//
// Sealed segments were synced before the next one was made, so they are trusted (and their CRCs
// checked at every read).
// The last segment is scanned from the newest producer snapshot at or below the recovery point. A
// bad batch there is a damaged tail, which is cut, when nothing valid follows it; otherwise the
// file is corrupt. A tail beyond the recovery point was torn by a crash; below it, records that
// were durable are lost: the line says how many, and their offsets are not given out again.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "log/partition_log.h"
#include "log/swap.h"

namespace tailrace::log {
namespace {

/// The offset in "<20 digits><suffix>".
std::optional<Offset> offset_of(std::string_view file, std::string_view suffix) {
  if (file.size() != 20 + suffix.size() || !file.ends_with(suffix)) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(file.data(), file.data() + 20, value);
  if (failure != std::errc() || end != file.data() + 20 || value < 0) return std::nullopt;
  return Offset(value);
}

std::vector<Offset> offsets_of(const std::vector<std::string>& files, std::string_view suffix) {
  std::vector<Offset> found;
  for (const auto& file : files) {
    if (const auto offset = offset_of(file, suffix)) found.push_back(*offset);
  }
  return found;
}

}  // namespace

Status PartitionLog::recover(Offset recovery_point) {
  TRY(files_.make_folder(folder_));
  ASSIGN(auto files, files_.list(folder_));
  ASSIGN(const bool swapped, finish_swaps(files_, folder_, files));
  if (swapped) {
    ASSIGN(files, files_.list(folder_));
  }
  auto bases = offsets_of(files, ".log");
  const bool empty = bases.empty();
  if (empty) bases.push_back(log_start_);
  TRY(open_segments(bases));
  // A topic is known when its first files are on disk. A later one may be as new as the crash.
  if (empty || (bases.back().value > 0 && bases.back() >= recovery_point)) {
    TRY(files_.sync_folder(folder_));
  }
  const auto snapshots = offsets_of(files, ".snapshot");
  TRY(repair_aborted(snapshots));
  // A damaged .txnindex of the active segment is made anew by reading all of it.
  const bool sound = active_->aborted_is_sound();
  ASSIGN(const Offset from,
         load_producers(snapshots,
                        sound ? std::max(recovery_point, active_->base()) : active_->base()));
  TRY(replay_sealed(from));
  TRY(recover_active(from, recovery_point));
  for (const Offset snapshot : snapshots) {
    if (snapshot > active_->next()) {
      TRY(files_.remove(folder_ + "/" + offset_name(snapshot) + ".snapshot"));
    }
  }
  log_start_ = std::max(log_start_, segments_.begin()->first);
  log_start_ = std::min(log_start_, active_->next());
  durable_end_ = active_->next();
  recovery_point_ = std::min(recovery_point, durable_end_);
  if (cleaned_to_.value > 0) {
    // As Kafka: an end that the log does not have any more says nothing.
    const bool known = cleaned_to_ >= log_start_ && cleaned_to_ <= durable_end_;
    if (!known) cleaned_to_ = std::max(log_start_, Offset(1));
  }
  segment_since_ = clock_.now();
  return {};
}

Status PartitionLog::open_segments(const std::vector<Offset>& bases) {
  for (std::size_t i = 0; i < bases.size(); ++i) {
    ASSIGN(auto segment, Segment::open(files_, folder_, bases[i]));
    if (i + 1 < bases.size()) {
      if (auto trusted = segment->trust(bases[i + 1], gaps()); !trusted) {
        return std::unexpected(trusted.error().in(name()));
      }
    } else {
      active_ = segment;
    }
    segments_[bases[i]] = std::move(segment);
  }
  return {};
}

/// With a damaged .txnindex aborted records would be read as committed: a sealed segment's is made
/// anew from the batches, with the producers as they were where it begins.
Status PartitionLog::repair_aborted(const std::vector<Offset>& snapshots) {
  for (const auto& [base, segment] : segments_) {
    if (segment->aborted_is_sound()) continue;
    LOG_OF(warn, log_of("topic", topic_, "partition", id_.value),
           "{}: {}.txnindex is damaged or was never checked; made anew from the records", name(),
           offset_name(base));
    if (segment == active_) continue;
    ASSIGN(const Offset from, load_producers(snapshots, base));
    for (const auto& [earlier, other] : segments_) {
      if (earlier > base) break;
      if (other->next() <= from) continue;
      std::vector<AbortedTransaction> seen;
      TRY(replay_segment(*other, from, seen));
      if (other == segment) TRY(segment->merge_aborted(base, std::move(seen)));
    }
  }
  return {};
}

Result<Offset> PartitionLog::load_producers(const std::vector<Offset>& snapshots, Offset at_most) {
  producers_ = Producers();
  for (auto at = snapshots.rbegin(); at != snapshots.rend(); ++at) {
    if (*at > at_most) continue;
    auto bytes = rt::read_whole(files_, folder_ + "/" + offset_name(*at) + ".snapshot");
    if (!bytes) return std::unexpected(bytes.error());
    auto loaded = Producers::decode_snapshot(*bytes);
    if (loaded) {
      producers_ = std::move(*loaded);
      return *at;
    }
    LOG_OF(warn, log_of("topic", topic_, "partition", id_.value),
           "{}: ignoring the producer snapshot at {}: {}", name(), at->value, loaded.error().what);
  }
  return segments_.begin()->first;
}

Status PartitionLog::replay_sealed(Offset from) {
  for (const auto& [base, segment] : segments_) {
    if (segment == active_ || segment->next() <= from) continue;
    std::vector<AbortedTransaction> seen;
    TRY(replay_segment(*segment, from, seen));
    TRY(segment->merge_aborted(from, std::move(seen)));
  }
  return {};
}

/// What the batches from `from` on change in the producers, and which transactions they abort.
Status PartitionLog::replay_segment(const Segment& segment, Offset from,
                                    std::vector<AbortedTransaction>& seen) {
  ASSIGN(const auto place, place_of(segment, std::max(from, segment.base())));
  ASSIGN(const auto scan, scan_batches(*segment.data(), place, segment.size_bytes(), gaps(),
                                       [&](const BatchView& batch, std::uint64_t) {
                                         replay(batch, seen);
                                         return Status();
                                       }));
  recovery_.scanned_bytes += scan.end.position - place.position;
  if (!scan.flaw.empty()) {
    return corrupt(scan.end.offset, segment, scan.end.position, scan.flaw);
  }
  return {};
}

/// What a batch changes in the producers; the aborted transaction when it is a marker that ends
/// one, without beginning when that is not in the log any more.
void PartitionLog::replay(const BatchView& batch, std::vector<AbortedTransaction>& seen) {
  if (const auto aborted = producers_.note(batch)) {
    seen.push_back(*aborted);
  } else if (batch.control()) {
    const auto marker = parse_marker(batch);
    if (marker && marker->end == TransactionEnd::kAbort) {
      seen.push_back({batch.producer_id(), Offset(-1), batch.base_offset(), Offset(-1)});
    }
  }
}

Gaps PartitionLog::gaps() const {
  return cleaned_to_.value > 0 || compaction_.on ? Gaps::kAllowed : Gaps::kRefused;
}

Result<SegmentPlace> PartitionLog::place_of(const Segment& segment, Offset offset) const {
  SegmentPlace place = segment.floor(offset);
  if (place.position == 0) place.offset = segment.base();
  std::string header(kBatchHeaderBytes, '\0');
  bool first = true;
  while (place.position < segment.size_bytes()) {
    ASSIGN(const auto got, segment.data()->read_at(place.position, header.data(), header.size()));
    const auto facts = peek_batch(std::string_view(header).substr(0, got));
    const bool fits = facts && facts->size <= segment.size_bytes() - place.position;
    const bool agrees = !first || place.position == 0 || (facts && facts->last == place.offset);
    if (!fits || !agrees) break;
    first = false;
    if (facts->base >= offset) return SegmentPlace{place.position, offset};
    if (facts->last >= offset) return SegmentPlace{place.position, facts->base};
    place = {place.position + facts->size, facts->last + 1};
  }
  if (!first && place.offset >= offset) return place;
  return SegmentPlace{0, segment.base()};
}

Status PartitionLog::recover_active(Offset from, Offset recovery_point) {
  Segment& segment = *active_;
  const std::uint64_t file_size = segment.size_bytes();
  SegmentPlace place{0, segment.base()};
  if (from > segment.base()) {
    // From the last batch below it: a file that rotted at its end is found out even after a stop in
    // good order.
    ASSIGN(place, place_of(segment, from - 1));
  }
  TRY(segment.rewind(place));
  std::vector<AbortedTransaction> seen;
  ASSIGN(const auto scan, scan_batches(*segment.data(), place, file_size, gaps(),
                                       [&](const BatchView& batch, std::uint64_t position) {
                                         segment.note_batch(batch, position,
                                                            settings_.index_interval_bytes);
                                         if (batch.base_offset() >= from) replay(batch, seen);
                                         return Status();
                                       }));
  segment.end_at(scan.end.offset);
  TRY(segment.merge_aborted(from, std::move(seen)));
  recovery_.scanned_bytes += file_size - place.position;
  recovery_.truncated_bytes = file_size - scan.end.position;
  if (recovery_.truncated_bytes > 0) {
    ASSIGN(const auto later,
           find_batch(*segment.data(), scan.end.position + 1, file_size, scan.end.offset));
    if (later) {
      return corrupt(scan.end.offset, segment, scan.end.position,
                     fmt::format("{}, and a good batch follows at byte {}", scan.flaw, *later));
    }
    LOG_OF(warn, log_of("topic", topic_, "partition", id_.value, "offset", scan.end.offset.value),
           "{}: cut a torn tail of {} bytes from offset {} on ({} at byte {}: {})", name(),
           recovery_.truncated_bytes, scan.end.offset.value, segment.log_path(), scan.end.position,
           scan.flaw);
  }
  if (scan.end.offset < recovery_point) {
    LOG_OF(
        error, log_of("topic", topic_, "partition", id_.value, "offset", scan.end.offset.value),
        "{}: {} durable records are lost, offsets {} to {}: {} ends at byte {} without them; new "
        "records follow from offset {} on",
        name(), recovery_point - scan.end.offset, scan.end.offset.value, recovery_point.value - 1,
        segment.log_path(), scan.end.position, recovery_point.value);
  }
  const bool on_disk = recovery_.truncated_bytes == 0 && scan.end.offset == recovery_point;
  return on_disk ? Status() : segment.cut();
}

}  // namespace tailrace::log
