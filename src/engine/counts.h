// How often each key is there, and which keys came or went in a step: the state of DISTINCT.
#pragma once

#include "engine/grouping.h"
#include "engine/trace.h"

namespace tailrace::engine {

class Counts {
 public:
  explicit Counts(TraceHome home) : trace_(std::move(home)) {}

  /// Adds the delta's weights to its groups; by group: 1 the key came, -1 it went, 0 neither.
  Result<std::vector<Weight>> add(const Grouping& groups, const Delta& delta) {
    std::vector<Weight> sums(groups.size(), 0);
    for (std::int64_t row = 0; row < delta.size(); ++row) {
      sums[groups.group_of()[row]] += delta.weight(row);
    }
    return add(groups, std::move(sums));
  }

  /// The same with the weights summed by group.
  Result<std::vector<Weight>> add(const Grouping& groups, std::vector<Weight> sums) {
    TRY(trace_.open(groups.keys(), groups.hashes(), slots_));
    for (std::size_t group = 0; group < groups.size(); ++group) {
      if (sums[group] == 0) continue;
      PointTrace::Slot& slot = *slots_[group];
      Weight before = 0;
      if (slot.present) std::memcpy(&before, slot.value().data(), sizeof before);
      const Weight after = before + sums[group];
      if (after == 0) {
        trace_.erase(slot);
      } else {
        trace_.put(slot, {reinterpret_cast<const char*>(&after), sizeof after});
      }
      sums[group] = Weight{after > 0} - Weight{before > 0};
    }
    return sums;
  }
  PointTrace& trace() { return trace_; }

 private:
  PointTrace trace_;
  std::vector<PointTrace::Slot*> slots_;
};

}  // namespace tailrace::engine
