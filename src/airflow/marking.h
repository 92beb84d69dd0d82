// States and notes that people give task instances: what is asked for, which instances are meant,
// and doing it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "airflow/clearing.h"

namespace tailrace::airflow {

inline constexpr std::size_t kLongestNote = 1000;

/// PatchTaskInstanceBody; `state` and `note` are absent where a mask leaves them out.
struct Change {
  std::optional<sched::TaskState> state;
  std::optional<std::string> note;
  bool upstream = false, downstream = false, future = false, past = false;
};

/// The model's members of a body, which may have more.
Change read_change(Body& body, const std::vector<std::string>& mask);

/// The instances of the tasks in the run (one of them where `map_index` says so) with those that
/// come along, also of other runs; not those that are in the state already.
Answer<std::vector<FoundTask>> instances_to_set(const Call& call, const sched::Run& run,
                                                const Change& change,
                                                const std::set<std::string>& tasks,
                                                std::optional<int> map_index, Catalog& catalog);
/// Gives `noted` the note and `found` the state.
Answer<void> mark(const Call& call, const Change& change, const std::vector<FoundTask>& found,
                  const std::vector<FoundTask>& noted);

}  // namespace tailrace::airflow
