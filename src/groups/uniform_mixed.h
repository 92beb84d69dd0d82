// The uniform assignor of groups whose members subscribe to different topics.
#pragma once

#include "groups/assignor.h"

namespace tailrace::groups {

/// Keeps what members still subscribe to, gives the rest topic by topic to the least loaded
/// subscriber (the topics with the most partitions a subscriber first), then moves partitions from
/// more to less loaded subscribers of a topic until none differs by more than one, at most 16
/// rounds: where subscriptions overlap in part, the loads may still differ by more across topics.
AssignmentPlan assign_uniformly_mixed(const AssignmentTask& task);

}  // namespace tailrace::groups
