#include "share/kept_state.h"

namespace tailrace::share {

void KeptState::apply(const Snapshot& snapshot) {
  *this = KeptState();
  snapshot_epoch_ = snapshot.snapshot_epoch;
  state_epoch_ = snapshot.state_epoch;
  start_ = snapshot.start;
  complete_ = snapshot.complete;
  created_ = snapshot.created;
  for (const auto& batch : snapshot.batches)
    fates_.set(batch.first, batch.last, {batch.state, batch.delivery_count});
}

void KeptState::apply(const Update& update) {
  if (update.snapshot_epoch != snapshot_epoch_) return;
  ++updates_;
  if (update.start != kNoStart) start_ = update.start;
  complete_ = update.complete;
  for (const auto& batch : update.batches)
    fates_.set(batch.first, batch.last, {batch.state, batch.delivery_count});
  fates_.drop_below(start_);
}

Snapshot KeptState::next_snapshot(TimestampMs now) const {
  Snapshot out{snapshot_epoch_ + 1, state_epoch_, start_, complete_, created_, now, {}};
  if (created_.value == 0) out.created = now;
  for (const auto& [first, run] : fates_)
    out.batches.push_back({first, run.last, run.value.first, run.value.second});
  return out;
}

}  // namespace tailrace::share
