#include "share/share_partition.h"

#include <algorithm>

#include "base/check.h"

namespace tailrace::share {

namespace {

std::int64_t length(Offset first, Offset last) {
  return last - first + 1;
}

}  // namespace

SharePartition::SharePartition(const KeptState& kept, Offset start)
    : start_(kept.start() == kNoStart ? start : kept.start()), end_(start_) {
  for (const auto& [first, run] : kept.fates()) end_ = std::max(end_, run.last + 1);
  if (end_ > start_) places_.set(start_, end_ - 1, {});
  for (const auto& [first, run] : kept.fates()) {
    if (run.last < start_) continue;
    places_.set(std::max(first, start_), run.last, {run.value.first, run.value.second});
  }
  move_start();
}

Offset SharePartition::next_fetch() const {
  for (const auto& [first, run] : places_)
    if (run.value.state == RecordState::kAvailable) return first;
  return end_;
}

bool SharePartition::has_room(const Settings& settings) const {
  return end_ - start_ < settings.max_record_locks || next_fetch() < end_;
}

void SharePartition::lock(Place& place, const std::string& member, const Settings& settings,
                          TimestampMs now) {
  place.state = RecordState::kAcquired;
  place.member = member;
  place.deadline = now + settings.record_lock_ms;
  deadline_ = std::min(deadline_.value_or(place.deadline), place.deadline);
}

/// One acquire() on its way over the batches.
struct SharePartition::Take {
  SharePartition& partition;
  const AcquireTask& task;
  const Settings& settings;
  TimestampMs now;
  std::int64_t room;   // records that the member may still get
  std::int64_t fresh;  // of these, such as were never acquired
  std::vector<Acquired> out{};

  /// False: nothing more can be taken.
  bool batch(Offset first, Offset last, std::int64_t batch_length) {
    known(first, std::min(last, partition.end_ - 1), batch_length);
    first = std::max(first, partition.end_);
    if (first > last) return room > 0;
    const auto most = std::min(room, fresh);
    if (most <= 0) return false;
    if (task.exactly) last = std::min(last, first + (most - 1));
    Place place{.delivery_count = 1};
    partition.lock(place, task.member, settings, now);
    partition.places_.set(first, last, place);
    partition.end_ = last + 1;
    fresh -= length(first, last);
    tell(first, last, 1);
    return room > 0 && fresh > 0;
  }

  /// What came back from others, in one batch.
  void known(Offset first, Offset last, std::int64_t batch_length) {
    const auto available = [](const Place& place) {
      return place.state == RecordState::kAvailable;
    };
    bool capped = task.exactly;
    while (first <= last && room > 0) {
      const auto found = partition.places_.find(first, last, available);
      if (found == partition.places_.end()) return;
      const int had = found->second.value.delivery_count;
      const auto most = most_of(had, batch_length);
      if (most < batch_length) {
        capped = true;
        room = std::min(room, most);
        if (room <= 0) return;
      }
      const auto from = std::max(first, found->first);
      auto to = std::min(last, found->second.last);
      if (capped) to = std::min(to, from + (room - 1));
      const auto count = static_cast<std::int16_t>(had + 1);
      partition.places_.change(from, to, [&](Offset, Offset, Place& place) {
        place.delivery_count = count;
        partition.lock(place, task.member, settings, now);
      });
      tell(from, to, count);
      first = to + 1;
    }
  }

  /// One bad record must not use up the deliveries of those around it: what was delivered often is
  /// not given with others, then less and less of it at a time, and the last time each record
  /// alone.
  std::int64_t most_of(int delivered, std::int64_t batch_length) const {
    const int often = std::max(2, (settings.delivery_count_limit + 1) / 2);
    const bool last_time = delivered == settings.delivery_count_limit - 1;
    if (delivered < often) return batch_length;
    if (!out.empty()) return 0;
    if (last_time) return 1;
    return std::max<std::int64_t>(1, batch_length >> std::min(delivered - often + 1, 62));
  }

  void tell(Offset first, Offset last, std::int16_t count) {
    room -= length(first, last);
    if (!out.empty() && out.back().last + 1 == first && out.back().delivery_count == count &&
        length(out.back().first, out.back().last) < task.batch_size) {
      out.back().last = last;
    } else {
      out.push_back({first, last, count});
    }
  }
};

std::vector<Acquired> SharePartition::acquire(const AcquireTask& task, const Settings& settings,
                                              TimestampMs now) {
  const std::int64_t fresh = settings.max_record_locks - (end_ - start_);
  Take take{*this, task, settings, now, task.max_records, fresh};
  Offset at = next_fetch();
  for (const auto& batch : task.batches) {
    if (take.room <= 0) break;
    if (batch.last < at) continue;
    if (batch.first > at) archive(at, batch.first - 1);
    const auto first = std::max(at, batch.first);
    at = batch.last + 1;
    if (!batch.has_records)
      archive(first, batch.last);
    else if (!take.batch(first, batch.last, length(batch.first, batch.last)))
      break;
  }
  move_start();
  return std::move(take.out);
}

/// There are no records here: nobody waits for them.
void SharePartition::archive(Offset first, Offset last) {
  places_.change(first, std::min(last, end_ - 1), [](Offset, Offset, Place& place) {
    if (place.state == RecordState::kAvailable) place.state = RecordState::kArchived;
  });
  if (last < end_) return;
  DCHECK(first <= end_);
  places_.set(end_, last, {.state = RecordState::kArchived});
  end_ = last + 1;
}

Settled SharePartition::acknowledge(const std::string& member,
                                    std::span<const Acknowledgement> acknowledgements,
                                    const Settings& settings, TimestampMs now) {
  for (const auto& one : acknowledgements) {
    auto checked = check(member, one, settings);
    if (checked.error != KafkaError::kNone) return checked;
  }
  Runs<KeptState::Fate> changed;
  for (const auto& one : acknowledgements) settle(member, one, settings, now, changed);
  return settled(changed);
}

Settled SharePartition::check(const std::string& member, const Acknowledgement& one,
                              const Settings& settings) const {
  if (one.last < start_) return {};
  if (places_.empty())
    return {KafkaError::kInvalidRecordState,
            "Batch record not found. The request batch offsets are not found in the cache."};
  if (one.last >= end_)
    return {KafkaError::kInvalidRequest,
            "Batch record not found. The last offset in request is past acquired records."};
  const auto renews = std::ranges::find(one.types, AcknowledgeType::kRenew) != one.types.end();
  if (renews && !settings.renewals)
    return {KafkaError::kInvalidRequest, "Renewing acknowledgements are off for this group."};
  Settled out;
  places_.visit(std::max(one.first, start_), one.last, [&](Offset, Offset, const Place& place) {
    if (out.error != KafkaError::kNone) return;
    if (place.state != RecordState::kAcquired)
      out = {KafkaError::kInvalidRecordState,
             "The offset cannot be acknowledged. The offset is not acquired."};
    else if (place.member != member)
      out = {KafkaError::kInvalidRecordState, "Member is not the owner of offset"};
  });
  return out;
}

void SharePartition::settle(const std::string& member, const Acknowledgement& one,
                            const Settings& settings, TimestampMs now,
                            Runs<KeptState::Fate>& changed) {
  const auto apply = [&](Offset first, Offset last, AcknowledgeType type) {
    places_.change(std::max(first, start_), last, [&](Offset from, Offset to, Place& place) {
      switch (type) {
        case AcknowledgeType::kRenew:
          return lock(place, member, settings, now);
        case AcknowledgeType::kRelease:
          return give_back(from, to, place, settings, changed);
        case AcknowledgeType::kAccept:
          place = {RecordState::kAcknowledged, place.delivery_count};
          break;
        case AcknowledgeType::kGap:
        case AcknowledgeType::kReject:
          place = {RecordState::kArchived, place.delivery_count};
          break;
      }
      changed.set(from, to, {place.state, place.delivery_count});
    });
  };
  if (one.last < start_) return;
  if (one.types.size() == 1) return apply(one.first, one.last, one.types[0]);
  // Runs of equal types, so that a place is not cut for every offset.
  for (std::size_t i = 0; i < one.types.size();) {
    std::size_t end = i;
    while (end < one.types.size() && one.types[end] == one.types[i]) ++end;
    apply(one.first + static_cast<std::int64_t>(i),
          one.first + (static_cast<std::int64_t>(end) - 1), one.types[i]);
    i = end;
  }
}

void SharePartition::give_back(Offset first, Offset last, Place& place, const Settings& settings,
                               Runs<KeptState::Fate>& changed) {
  const bool often = place.delivery_count >= settings.delivery_count_limit;
  place = {often ? RecordState::kArchived : RecordState::kAvailable, place.delivery_count};
  changed.set(first, last, {place.state, place.delivery_count});
}

/// The start in the record is the one before it moves, as in Kafka: what tools show of a group is
/// then the same.
Settled SharePartition::settled(const Runs<KeptState::Fate>& changed) {
  Settled out;
  if (changed.empty()) return out;
  out.update = Update{.snapshot_epoch = {}, .start = start_, .complete = complete(), .batches = {}};
  for (const auto& [first, run] : changed) {
    out.update->batches.push_back({first, run.last, run.value.first, run.value.second});
    out.freed |= run.value.first == RecordState::kAvailable;
  }
  const auto before = start_;
  move_start();
  out.freed |= start_ > before;  // there is room again
  return out;
}

Settled SharePartition::release(const std::string& member, const Settings& settings) {
  Runs<KeptState::Fate> changed;
  places_.change(start_, end_ - 1, [&](Offset first, Offset last, Place& place) {
    if (place.state == RecordState::kAcquired && place.member == member)
      give_back(first, last, place, settings, changed);
  });
  return settled(changed);
}

Settled SharePartition::expire(const Settings& settings, TimestampMs now) {
  if (!deadline_ || *deadline_ > now) return {};
  deadline_.reset();
  Runs<KeptState::Fate> changed;
  places_.change(start_, end_ - 1, [&](Offset first, Offset last, Place& place) {
    if (place.state != RecordState::kAcquired) return;
    if (place.deadline <= now)
      give_back(first, last, place, settings, changed);
    else
      deadline_ = std::min(deadline_.value_or(place.deadline), place.deadline);
  });
  return settled(changed);
}

std::vector<InFlight> SharePartition::in_flight() const {
  std::vector<InFlight> all;
  for (const auto& [first, run] : places_) {
    const auto state = run.value.state;
    if (state != RecordState::kAvailable && state != RecordState::kAcquired) continue;
    const InFlight one{first, run.last, state, run.value.delivery_count, run.value.member};
    // Locks that end at other times are one to who looks.
    if (!all.empty() && all.back().last + 1 == one.first && all.back().state == one.state &&
        all.back().delivery_count == one.delivery_count && all.back().member == one.member)
      all.back().last = one.last;
    else
      all.push_back(one);
  }
  return all;
}

void SharePartition::log_starts_at(Offset offset) {
  if (offset <= start_) return;
  places_.drop_below(offset);
  start_ = offset;
  end_ = std::max(end_, offset);
  move_start();
}

Update SharePartition::first_update() const {
  return {.snapshot_epoch = {}, .start = start_, .complete = complete(), .batches = {}};
}

std::int32_t SharePartition::complete() const {
  std::int64_t out = 0;
  for (const auto& [first, run] : places_)
    if (is_final(run.value.state)) out += length(first, run.last);
  return static_cast<std::int32_t>(out);
}

void SharePartition::move_start() {
  Offset to = start_;
  for (const auto& [first, run] : places_) {
    if (!is_final(run.value.state)) break;
    to = run.last + 1;
  }
  if (to == start_) return;
  places_.drop_below(to);
  start_ = to;
}

}  // namespace tailrace::share
