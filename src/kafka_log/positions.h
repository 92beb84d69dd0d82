// How far each producer has come, kept beside the records it wrote: a compacted topic of one
// partition, written in the same transactions.
//
//   key "PRODUCER TOPIC PARTITION"   value: the next sequence, 0 to 2^31-1      decimal text
//   key "owner"                      value: who writes; another word there has taken over
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "kafka_log/look.h"

namespace tailrace::kafka_log {

inline constexpr std::string_view kPositionsTopic = "__positions";
inline constexpr std::string_view kOwnerKey = "owner";

/// A producer's records in a partition.
struct Lane {
  std::int64_t producer = -1;
  std::string topic;  ///< as the project calls it
  std::int32_t partition = 0;
  auto operator<=>(const Lane&) const = default;
};

std::string lane_key(const Lane& lane);

struct Positions {
  std::map<Lane, std::int32_t> next;
  std::string owner;
};

/// Everything that is committed. kDataLoss for a record that is not as above.
Result<Positions> read_positions(Looker& looker, const std::string& real_topic);

}  // namespace tailrace::kafka_log
