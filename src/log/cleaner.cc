#include "log/cleaner.h"

#include <fmt/format.h>

#include <algorithm>

namespace tailrace::log {
namespace {

constexpr std::size_t kWriteBytes = 1 << 20;

}  // namespace

RoundTransactions::RoundTransactions(std::vector<AbortedTransaction> aborted)
    : waiting_(std::move(aborted)) {
  std::ranges::sort(waiting_, std::greater(), &AbortedTransaction::first);
}

bool RoundTransactions::spent(const BatchView& batch, std::optional<AbortedTransaction>& kept) {
  kept.reset();
  while (!waiting_.empty() && waiting_.back().first <= batch.last_offset()) {
    aborted_.insert_or_assign(waiting_.back().producer_id, Aborted{waiting_.back()});
    waiting_.pop_back();
  }
  const std::int64_t producer = batch.producer_id();
  auto open = aborted_.find(producer);
  if (open != aborted_.end() && batch.base_offset() > open->second.transaction.last) {
    // Its marker lies before the part of the log that is looked at.
    aborted_.erase(open);
    open = aborted_.end();
  }
  if (!batch.control()) {
    if (!batch.transactional()) return false;
    if (open == aborted_.end()) {
      committed_.insert(producer);
      return false;
    }
    open->second.has_batches = true;
    return true;
  }
  const auto marker = parse_marker(batch);
  if (!marker) return batch.record_count() == 0;
  if (marker->end == TransactionEnd::kCommit) return committed_.erase(producer) == 0;
  if (open == aborted_.end()) return true;
  if (open->second.has_batches) kept = open->second.transaction;
  aborted_.erase(open);
  return !kept;
}

CleaningRound::CleaningRound(RoundFacts facts)
    : facts_(std::move(facts)),
      keys_([this] {
        rt::Random random(rt::system_seed());
        return KeyMap(static_cast<std::uint64_t>(facts_.plan.to - facts_.plan.from),
                      facts_.dedupe_bytes, random);
      }()),
      transactions_(facts_.aborted),
      producers_(facts_.producers.begin(), facts_.producers.end()) {}

Status CleaningRound::scan(const Segment& segment, Offset from, const BatchSeen& seen) {
  SegmentPlace place{0, segment.base()};
  if (from > segment.base()) {
    // An index entry is of the last offset of the batch that it points to.
    const auto floor = segment.floor(from);
    if (floor.position > 0) place = {floor.position, segment.base()};
  }
  ASSIGN(const auto scan,
         scan_batches(*segment.data(), place, segment.size_bytes(), Gaps::kAllowed, seen));
  if (scan.flaw.empty()) return {};
  return error(Code::kDataLoss, fmt::format("{}@{}: {} is corrupt at byte {}: {}", facts_.name,
                                            scan.end.offset.value, segment.log_path(),
                                            scan.end.position, scan.flaw));
}

Result<Offset> CleaningRound::map_keys(std::span<const std::shared_ptr<Segment>> segments) {
  RoundTransactions transactions(facts_.aborted);
  for (const auto& segment : segments) {
    if (segment->next() <= facts_.plan.from || full_) continue;
    TRY(scan(*segment, facts_.plan.from, [&](const BatchView& batch, std::uint64_t) -> Status {
      if (full_) return {};
      return map_batch(batch, transactions);
    }));
  }
  if (!full_) latest_ = facts_.plan.to - 1;
  return latest_ + 1;
}

Status CleaningRound::map_batch(const BatchView& batch, RoundTransactions& transactions) {
  if (facts_.stopped && facts_.stopped()) return error(Code::kCancelled, "cleaning was stopped");
  std::optional<AbortedTransaction> kept;
  const bool spent = transactions.spent(batch, kept);
  if (batch.last_offset() < facts_.plan.from) return {};
  if (!batch.control() && !spent) {
    ASSIGN(const auto plain, batch.plain(plain_));
    RawRecords records(batch, plain);
    while (read_few(records)) {
      if (!map_few()) return {};
    }
    TRY(records.status());
  }
  latest_ = batch.last_offset();
  return {};
}

bool CleaningRound::read_few(RawRecords& records) {
  constexpr std::size_t kFew = 32;
  few_.clear();
  for (RawRecord record; few_.size() < kFew && records.next(record);) {
    few_.emplace_back(record, record.key ? keys_.digest(*record.key) : KeyMap::Digest{});
  }
  return !few_.empty();
}

/// False when the memory for keys is full.
bool CleaningRound::map_few() {
  for (const auto& [record, digest] : few_) {
    if (!record.key || record.offset < facts_.plan.from) continue;
    if (!keys_.put(digest, record.offset)) {
      full_ = true;
      return false;
    }
    latest_ = record.offset;
  }
  return true;
}

Status CleaningRound::clean(std::span<const std::shared_ptr<Segment>> group, Segment& to) {
  out_.clear();
  for (const auto& segment : group) {
    counts_.bytes_read += segment->size_bytes();
    TRY(scan(*segment, segment->base(),
             [&](const BatchView& batch, std::uint64_t) { return take(batch, to); }));
  }
  TRY(flush(to, 0));
  counts_.bytes_kept += to.size_bytes();
  return to.seal();
}

Status CleaningRound::flush(Segment& to, std::size_t at_least) {
  if (out_.empty() || out_.size() < at_least) return {};
  TRY(to.write(out_));
  to.note(out_, facts_.index_interval_bytes);
  out_.clear();
  return {};
}

bool CleaningRound::last_of_producer(const BatchView& batch) const {
  if (batch.producer_id() < 0) return false;
  const auto found = producers_.find(batch.producer_id());
  if (found == producers_.end()) return false;
  const ProducerEntry& entry = found->second;
  if (entry.last_offset >= 0) return batch.last_offset().value == entry.last_offset;
  return batch.control() && batch.producer_epoch() == entry.epoch;
}

bool CleaningRound::keeps(const RawRecord& record, const KeyMap::Digest& key,
                          bool horizon_passed) const {
  if (record.offset > latest_) return true;
  if (!record.key || (!record.has_value && horizon_passed)) return false;
  return record.offset >= keys_.find(key);
}

/// The records of a batch that stay, into kept_.
Status CleaningRound::select(const BatchView& batch, bool horizon_passed) {
  ASSIGN(const auto plain, batch.plain(plain_));
  RawRecords records(batch, plain);
  while (read_few(records)) {
    for (const auto& [record, digest] : few_) {
      if (!batch.control() && !keeps(record, digest, horizon_passed)) continue;
      tombstones_ |= !record.has_value;
      kept_.push_back(record);
    }
  }
  return records.status();
}

Status CleaningRound::take(const BatchView& batch, Segment& to) {
  if (facts_.stopped && facts_.stopped()) return error(Code::kCancelled, "cleaning was stopped");
  std::optional<AbortedTransaction> index_entry;
  const bool spent = transactions_.spent(batch, index_entry);
  if (index_entry) TRY(to.add_aborted(*index_entry));
  const auto count = static_cast<std::uint64_t>(batch.record_count());
  counts_.records_read += count;
  if (batch.base_offset() > latest_) {
    counts_.records_kept += count;
    out_.append(batch.bytes());
    return flush(to, kWriteBytes);
  }
  const auto horizon = batch.delete_horizon();
  const bool horizon_passed = horizon && *horizon <= facts_.now;
  const bool all_go = spent && (!batch.control() || horizon_passed);
  kept_.clear();
  tombstones_ = false;
  if (!all_go) TRY(select(batch, horizon_passed));
  counts_.records_kept += kept_.size();
  const bool begins_waiting = !horizon && (tombstones_ || (spent && batch.control()));
  if (kept_.empty()) {
    // The last batch of the round stands for the offsets up to its end.
    const bool last = batch.next_offset() == facts_.plan.to;
    if (last || last_of_producer(batch)) BatchRewriter::append_empty(batch, out_);
  } else if (kept_.size() == count && !begins_waiting) {
    out_.append(batch.bytes());
  } else {
    std::optional<TimestampMs> set;
    if (begins_waiting) set = facts_.now + facts_.settings.delete_retention_ms;
    TRY(rewriter_.append(batch, kept_, set, out_));
  }
  return flush(to, kWriteBytes);
}

}  // namespace tailrace::log
