// How many runs and task instances are in which state now.
#include "sched/state.h"

namespace tailrace::sched {

Census Scheduler::State::census() const {
  Census census;
  for (const auto& [number, run] : numbered_runs_) {
    if (run->finished()) continue;
    ++census.runs[static_cast<std::size_t>(run->row.state)];
    for (const TaskSlots& slots : run->tasks)
      for (std::size_t state = 0; state < kTaskStates; ++state)
        census.tasks[state] += slots.counts[state];
    for (const TaskInstance& other : run->others)
      ++census.tasks[static_cast<std::size_t>(other.state)];
  }
  for (const auto& [name, pool] : pools_)
    census.pools.push_back({name, pool.row.slots, pool.used, pool.deferred});
  return census;
}

Census Scheduler::census() const {
  return state_->census();
}

}  // namespace tailrace::sched
