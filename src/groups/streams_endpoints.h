// Where the partitions of a streams group can be asked for (KIP-67, 1071): each process with an
// endpoint serves the source partitions of its tasks.
#pragma once

#include <string>
#include <vector>

#include "groups/streams_group.h"

namespace tailrace::groups {

/// Of all members that have an endpoint; `changed` stands for the one of its id, last.
std::vector<EndpointPartitions> endpoints_of(const StreamsGroup& group,
                                             const StreamsMember& changed,
                                             const ConfiguredTopology& topology,
                                             const Topics& topics);

/// The partitions of source topics that tasks read, by topic.
Tasks partitions_of(const Tasks& tasks, const ConfiguredTopology& topology, const Topics& topics);

}  // namespace tailrace::groups
