// Compaction of one partition: what may be cleaned now, the round, and the exchange of segments.
//
// The round runs beside appends and reads. Only the exchange holds append_mutex_, and it gives up
// when retention has taken a segment meanwhile. Readers that have begun on an old segment end
// there.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "log/cleaner.h"
#include "log/partition_log.h"
#include "log/swap.h"

namespace tailrace::log {
namespace {

/// A partition that could not be cleaned is left alone for so long.
constexpr std::int64_t kRetryAfterMs = 60'000;

/// A batch's time by the first bytes of a segment; -1 when there is none.
TimestampMs first_timestamp(const Segment& segment) {
  std::string header(kBatchHeaderBytes, '\0');
  const auto got = segment.data()->read_at(0, header.data(), header.size());
  if (!got || !peek_batch(std::string_view(header).substr(0, *got))) return TimestampMs(-1);
  return TimestampMs(load_be<std::int64_t>(header.data() + 35));
}

}  // namespace

CleanPlan PartitionLog::plan_clean() const {
  std::vector<SegmentFacts> facts;
  std::vector<std::shared_ptr<Segment>> segments;
  CleanFacts known;
  CompactionSettings settings;
  {
    const std::unique_lock lock(mutex_);
    if (!compaction_.on || closed_ || failed_ || clock_.now() < retry_cleaning_at_) return {};
    settings = compaction_;
    for (const auto& [base, segment] : segments_) {
      segments.push_back(segment);
      facts.push_back(segment->facts());
    }
    known = {facts, {}, log_start_, cleaned_to_, stable_offset_locked(), clock_.now()};
  }
  std::vector<TimestampMs> first;
  if (settings.max_lag_ms < INT64_MAX) {
    for (const auto& segment : segments) {
      const bool dirty = segment->next() > known.cleaned_to;
      first.push_back(dirty ? first_timestamp(*segment) : TimestampMs(-1));
    }
    known.first_timestamps = first;
  }
  return plan_cleaning(known, settings);
}

Result<CleanReport> PartitionLog::clean(const CleanPlan& plan, std::uint64_t dedupe_bytes) {
  const std::unique_lock clean_lock(clean_mutex_);
  auto report = clean_locked(plan, dedupe_bytes);
  if (!report && report.error().code != Code::kCancelled) {
    const std::unique_lock lock(mutex_);
    retry_cleaning_at_ = clock_.now() + kRetryAfterMs;
  }
  return report;
}

Result<CleanReport> PartitionLog::clean_locked(const CleanPlan& plan, std::uint64_t dedupe_bytes) {
  CleanReport report{topic_, id_, plan.from, plan.to, 0, 0, {}};
  RoundFacts facts;
  std::vector<std::shared_ptr<Segment>> segments;
  {
    const std::unique_lock lock(mutex_);
    for (const auto& [base, segment] : segments_) {
      if (base < plan.to && segment != active_) segments.push_back(segment);
    }
    if (closed_ || segments.empty()) return error(Code::kCancelled, name() + " is closed");
    facts = {name(), plan, compaction_,  settings_.index_interval_bytes,          clock_.now(),
             {},     {},   dedupe_bytes, [this] { return stop_cleaning_.load(); }};
    for (const auto& one : producers_.entries()) {
      if (one.second.last_offset < plan.to.value) facts.producers.push_back(one);
    }
  }
  ASSIGN(facts.aborted, aborted_transactions(segments.front()->base(), plan.to));
  const auto segment_bytes = facts.settings.segment_bytes;
  TRY(allow_gaps(plan.from));
  CleaningRound round(std::move(facts));
  ASSIGN(report.to, round.map_keys(segments));
  while (segments.back()->base() >= report.to) segments.pop_back();
  std::vector<SegmentFacts> sizes;
  for (const auto& segment : segments) sizes.push_back(segment->facts());
  std::span<const std::shared_ptr<Segment>> rest(segments);
  for (const std::size_t count : group_segments(sizes, segment_bytes)) {
    TRY(clean_group(rest.first(count), round));
    report.segments_before += static_cast<int>(count);
    ++report.segments_after;
    rest = rest.subspan(count);
  }
  report.counts = round.counts();
  {
    const std::unique_lock lock(mutex_);
    cleaned_to_ = report.to;
  }
  TRY(owner_.note_progress());
  return report;
}

/// Before the first gap is made it is on disk that there may be gaps, whatever becomes of the
/// topic's cleanup.policy. (Records from 0 to 1 need no comparison with what is before them.)
Status PartitionLog::allow_gaps(Offset from) {
  {
    const std::unique_lock lock(mutex_);
    if (cleaned_to_.value > 0) return {};
    cleaned_to_ = std::max(from, Offset(1));
  }
  return owner_.note_progress();
}

Status PartitionLog::clean_group(std::span<const std::shared_ptr<Segment>> group,
                                 CleaningRound& round) {
  ASSIGN(auto cleaned, Segment::open(files_, folder_, group.front()->base(), ".cleaned"));
  auto done = cleaned->start_anew();
  if (done) done = round.clean(group, *cleaned);
  if (done) done = exchange(group, *cleaned);
  if (!done) {
    // What is left of it would be removed at the next start.
    if (auto gone = cleaned->remove_files(files_); !gone) {
      LOG_OF(warn, log_of("topic", topic_, "partition", id_.value), "{}: {}", name(),
             gone.error().what);
    }
  }
  return done;
}

Status PartitionLog::exchange(std::span<const std::shared_ptr<Segment>> group,
                              const Segment& cleaned) {
  const std::unique_lock append_lock(append_mutex_);
  TRY(check_writable());
  std::vector<Offset> others;
  {
    const std::unique_lock lock(mutex_);
    for (const auto& segment : group) {
      const auto at = segments_.find(segment->base());
      if (at == segments_.end() || at->second != segment) {
        return error(Code::kCancelled, name() + ": retention took a segment that was cleaned");
      }
      // A reader must find the old indexes with the old records.
      TRY(segment->hold_files());
      if (segment != group.front()) others.push_back(segment->base());
    }
  }
  const Offset base = group.front()->base();
  const Offset next = group.back()->next();
  bool committed = false;
  auto done = swap_in(files_, folder_, base, others, committed);
  std::shared_ptr<Segment> fresh;
  if (done) done = open_cleaned(base, next, cleaned.has_aborted(), fresh);
  const std::unique_lock lock(mutex_);
  if (!done) {
    // The files are the next start's to put right; until then they must not change.
    if (committed)
      failed_ = done.error().in(name() + ": writes stop until the log is opened again");
    return done;
  }
  for (const Offset other : others) segments_.erase(other);
  segments_[base] = std::move(fresh);
  return {};
}

Status PartitionLog::open_cleaned(Offset base, Offset next, bool has_aborted,
                                  std::shared_ptr<Segment>& fresh) {
  if (!has_aborted) {
    TRY(files_.remove(folder_ + "/" + offset_name(base) + ".txnindex"));
    TRY(files_.remove(folder_ + "/" + offset_name(base) + ".txncheck"));
    TRY(files_.sync_folder(folder_));
  }
  ASSIGN(fresh, Segment::open(files_, folder_, base));
  return fresh->trust(next, Gaps::kAllowed);
}

}  // namespace tailrace::log
