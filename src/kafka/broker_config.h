// What the broker may be told, by the names of Kafka's server.properties.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "auth/delegation_tokens.h"
#include "base/result.h"
#include "groups/config.h"
#include "kafka/config_layers.h"
#include "kafka/share_coordinator.h"
#include "log/topic.h"
#include "transactions/config.h"

namespace tailrace::kafka {

struct BrokerConfig {
  BrokerConfig();

  std::string listen = "127.0.0.1:9092";  ///< HOST:PORT, port 0 picks a free one
  /// `listeners` says where instead (listener.h); `listen` is then the first of them.
  bool by_listeners = false;
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
  auth::DelegationTokenConfig tokens;        // delegation.token.*
  std::size_t share_sessions = 2000;         // group.share.max.share.sessions
  ShareCoordinator::Config share;            // share.coordinator.*
  std::int32_t transaction_partitions = 50;  // transaction.state.log.num.partitions
  /// transaction.max.timeout.ms, transactional.id.expiration.ms …
  transactions::TransactionsConfig transactions;
  /// num.partitions, and what log.*, message.max.bytes … give a topic that does not say.
  log::TopicSettings topic;
  /// What was set, and what is not as by Kafka's default here: shown as the broker's own.
  ConfigMap started;
  /// Those of them that are kept and shown, and do nothing here (ConfigInfo::meaning).
  std::set<std::string> without_effect;

  /// Sets one by Kafka's name. kNotFound for a name that Kafka does not have, with the nearest one
  /// in the message; kInvalidArgument for a bad value. What means nothing here is kept and shown.
  Status set(std::string_view name, std::string_view value);
  /// Sets what a server.properties file says; a failure names the line.
  Status set_all(std::string_view properties);
  /// What was set while an earlier broker ran: like set(), but it is not what this one was started
  /// with, and what cannot be used is left out.
  void take(const ConfigMap& dynamic);

 private:
  void apply(std::string_view name, const std::string& value);
  Status listen_on_listeners();
};

}  // namespace tailrace::kafka
