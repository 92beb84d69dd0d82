// What the broker may be told, by the names of Kafka's server.properties.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "groups/config.h"
#include "log/topic.h"

namespace tailrace::kafka {

struct BrokerConfig {
  std::string listen = "127.0.0.1:9092";  ///< HOST:PORT, port 0 picks a free one
  /// What clients are told to connect to; the listener's own when empty.
  std::string advertised;
  /// The flag a user changes the address with, for the line about a taken port.
  std::string flag = "--listen";

  std::int32_t node_id = 1;                   // node.id
  bool auto_create_topics = true;             // auto.create.topics.enable
  bool delete_topics = true;                  // delete.topic.enable
  int network_threads = 2;                    // num.network.threads
  std::size_t request_max_bytes = 100 << 20;  // socket.request.max.bytes
  std::size_t max_connections = 10'000;       // max.connections
  std::chrono::milliseconds idle{600'000};    // connections.max.idle.ms
  std::int32_t fetch_max_bytes = 55 << 20;    // fetch.max.bytes
  std::size_t fetch_sessions = 1000;          // max.incremental.fetch.session.cache.slots
  std::int32_t offsets_partitions = 50;       // offsets.topic.num.partitions
  /// group.*, offsets.retention.minutes …; the delay as in the file that Kafka comes with.
  groups::GroupsConfig groups{.group_initial_rebalance_delay_ms = 0};
  log::TopicSettings topic;  // num.partitions, log.*, message.max.bytes

  /// Sets one by Kafka's name. kNotFound for a name that Kafka does not have, with the nearest one
  /// in the message; kInvalidArgument for a bad value.
  Status set(std::string_view name, std::string_view value);
};

}  // namespace tailrace::kafka
