// What classic consumers and their leaders say to each other in bytes the coordinator passes on:
// Kafka's ConsumerProtocolSubscription and ConsumerProtocolAssignment. It reads them to know what a
// group subscribes to, and both ways where a group changes its protocol (KIP-848).
//
//   subscription = int16 version, [string] topics, bytes user_data
//                  since 1: [string topic, [int32] partitions] owned
//                  since 2: int32 generation · since 3: string rack
//   assignment   = int16 version, [string topic, [int32] partitions], bytes user_data
//
// [x] = int32 count, count × x; string = int16 length (-1: none), bytes; bytes = int32 length (-1:
// none), bytes. What a later version adds comes behind, and is not read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "groups/types.h"

namespace tailrace::groups {

/// Partitions by the name of their topic.
using NamedPartitions = std::map<std::string, std::set<std::int32_t>>;

struct ConsumerSubscription {
  std::int16_t version = 0;
  std::vector<std::string> topics{};
  NamedPartitions owned{};
  std::optional<std::string> rack{};
};

struct ConsumerAssignment {
  NamedPartitions partitions{};
  std::string user_data{};
};

/// The topics of a subscription. No value when it is none.
std::optional<std::set<std::string>> subscribed_topics(std::string_view metadata);
/// No value when it is none.
std::optional<ConsumerSubscription> read_subscription(std::string_view bytes);
std::optional<ConsumerAssignment> read_assignment(std::string_view bytes);
/// In the version of the member's subscription, or the highest there is.
std::string write_assignment(const NamedPartitions& partitions, std::int16_t version);

/// Partitions of topics that exist, in the words of the one protocol and of the other.
Assignment by_id(const NamedPartitions& partitions, const Topics& topics);
NamedPartitions by_name(const Assignment& assignment, const Topics& topics);
/// For the member with this subscription.
std::string assignment_for(std::string_view subscription, const Assignment& assignment,
                           const Topics& topics);

}  // namespace tailrace::groups
