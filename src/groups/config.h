// The settings of the room, named as in Kafka's server.properties.
#pragma once

#include <cstdint>

#include "groups/types.h"

namespace tailrace::groups {

/// Which way a group with members may change its protocol (KIP-848).
enum class MigrationPolicy { kDisabled, kUpgrade, kDowngrade, kBidirectional };

struct GroupsConfig {
  std::int32_t group_min_session_timeout_ms = 6'000;
  std::int32_t group_max_session_timeout_ms = 1'800'000;
  std::int32_t group_initial_rebalance_delay_ms = 3'000;
  std::int32_t group_max_size = INT32_MAX;
  Millis new_member_join_timeout_ms = 300'000;  // no setting of Kafka's: fixed there too

  std::int32_t offset_metadata_max_bytes = 4'096;
  Millis offsets_retention_ms = 7 * 24 * 3'600'000LL;  // offsets.retention.minutes
  Millis offsets_retention_check_interval_ms = 600'000;

  std::int32_t consumer_session_timeout_ms = 45'000;    // group.consumer.session.timeout.ms
  std::int32_t consumer_heartbeat_interval_ms = 5'000;  // group.consumer.heartbeat.interval.ms
  std::int32_t consumer_max_size = INT32_MAX;           // group.consumer.max.size
  std::int32_t share_session_timeout_ms = 45'000;       // group.share.session.timeout.ms
  std::int32_t share_heartbeat_interval_ms = 5'000;     // group.share.heartbeat.interval.ms
  std::int32_t share_max_size = 200;                    // group.share.max.size
  Millis share_assignment_interval_ms = 1'000;          // group.share.assignment.interval.ms
  std::int32_t streams_session_timeout_ms = 45'000;     // group.streams.session.timeout.ms
  std::int32_t streams_heartbeat_interval_ms = 5'000;   // group.streams.heartbeat.interval.ms
  std::int32_t streams_max_size = INT32_MAX;            // group.streams.max.size
  Millis streams_assignment_interval_ms = 1'000;        // group.streams.assignment.interval.ms
  Millis streams_initial_rebalance_delay_ms = 3'000;    // group.streams.initial.rebalance.delay.ms
  std::int32_t streams_num_standby_replicas = 0;        // group.streams.num.standby.replicas
  Millis consumer_assignment_interval_ms = 1'000;       // KIP-1263
  MigrationPolicy consumer_migration_policy = MigrationPolicy::kBidirectional;
  Millis consumer_regex_refresh_interval_ms = 600'000;  // group.consumer.regex.refresh.interval.ms
  Millis consumer_regex_min_refresh_interval_ms = 10'000;  // no setting of Kafka's: fixed there too
};

}  // namespace tailrace::groups
