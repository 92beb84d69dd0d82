// What the topics there are make of a topology (KIP-1071): how many tasks each subtopology has, and
// which internal topics are missing; or why it cannot run.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "groups/actions.h"
#include "groups/refusal.h"
#include "groups/streams_records.h"

namespace tailrace::groups {

struct ConfiguredSubtopology {
  std::int32_t tasks = 0;
  std::set<std::string> sources;  // repartition topics, too
  bool stateful = false;
};

/// A topology over the topics of a moment.
struct ConfiguredTopology {
  std::optional<StreamsStatus> trouble{};  // why no task may run
  StreamsTopology topology{};              // with the partitions of its internal topics
  std::map<std::string, ConfiguredSubtopology> subtopologies{};  // empty: nothing is decided
  std::vector<InternalTopic> missing{};                          // by name

  bool ready() const { return !trouble; }
};

/// Decides the partitions of internal topics: a repartition topic has as many as what is read to
/// fill it, or as the topics it is read beside; a changelog as many as its subtopology has tasks. A
/// topology that cannot be decided at all is refused.
std::expected<ConfiguredTopology, Refusal> configure(const StreamsTopology& topology,
                                                     const Topics& topics);

/// All topics it reads and keeps its state in.
std::set<std::string> required_topics(const StreamsTopology& topology);
/// The subtopology that reads a topic; null: none does.
const Subtopology* reader_of(const StreamsTopology& topology, const std::string& topic);

}  // namespace tailrace::groups
