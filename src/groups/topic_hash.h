// A number that changes when topics do: how a consumer group sees that it must assign anew
// (KIP-1101).
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "groups/types.h"

namespace tailrace::groups {

/// The hash of the topics of `names` that exist, as Kafka writes it into a group's record: XXH3
/// over each topic's hash in the order of names, and that over `byte 0, id, name, partitions, 0, 1,
/// …`. 0 when none exists.
std::int64_t topics_hash(const std::set<std::string>& names, const Topics& topics);

}  // namespace tailrace::groups
