// What all handlers share: the log, the settings, and the broker's moving parts.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "auth/authorizer.h"
#include "auth/delegation_tokens.h"
#include "auth/quotas.h"
#include "auth/scram_users.h"
#include "base/result.h"
#include "kafka/answer_memory.h"
#include "kafka/broker_config.h"
#include "kafka/committer.h"
#include "kafka/config_store.h"
#include "kafka/connection_rates.h"
#include "kafka/error_code.h"
#include "kafka/features.h"
#include "kafka/fetch_sessions.h"
#include "kafka/flush_bounds.h"
#include "kafka/group_coordinator.h"
#include "kafka/listener.h"
#include "kafka/parking.h"
#include "kafka/producer_ids.h"
#include "kafka/producer_turns.h"
#include "kafka/request_metrics.h"
#include "kafka/share_coordinator.h"
#include "kafka/share_sessions.h"
#include "kafka/storage_faults.h"
#include "kafka/transaction_coordinator.h"
#include "kafka/transaction_markers.h"
#include "kafka/worker.h"
#include "log/log.h"

namespace tailrace::kafka {

class SchemaCheck;
class SchemaIds;

class Broker {
 public:
  /// `folder` keeps meta.properties (the cluster's id), the producer ids given out and the settings
  /// that were changed while it ran. `registry` is what topics' schemas are checked by; it may be
  /// null, and must outlive the broker.
  static Result<std::unique_ptr<Broker>> open(log::Log& log, BrokerConfig config,
                                              std::string folder, SchemaIds* registry = nullptr);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  log::Log& log() { return log_; }
  const BrokerConfig& config() const { return config_; }
  const std::string& folder() const { return folder_; }
  const std::string& cluster_id() const { return cluster_id_; }
  std::int32_t node_id() const { return config_.node_id; }
  /// Where it listens and how; the door sets it before the first connection is served.
  const std::vector<std::shared_ptr<Listener>>& listeners() const { return listeners_; }
  void set_listeners(std::vector<std::shared_ptr<Listener>> all) { listeners_ = std::move(all); }
  /// Those whose passwords SCRAM checks.
  auth::ScramUsers& scram_users() { return scram_users_; }
  /// What users give to workers of theirs, to log in with.
  auth::DelegationTokens& tokens() { return tokens_; }
  /// Who may do what; nullptr: everybody everything (authorizer.class.name is empty).
  auth::Authorizer* authorizer() const { return authorizer_.get(); }
  auth::Quotas& quotas() { return quotas_; }
  ConnectionRates& connection_rates() { return connection_rates_; }
  /// Counts a login that failed; how many there were.
  std::uint64_t login_failed() { return ++failed_logins_; }

  ConfigStore& config_store() { return *config_store_; }
  /// The broker's settings as they are now.
  ConfigLayers config_layers() const;
  /// What a topic has that is made without saying more.
  log::TopicSettings topic_defaults() const;
  /// After the broker's settings changed: gives them to the topics that do not say otherwise.
  Status topic_defaults_changed();
  /// After a topic's settings changed, all but how many partitions it has.
  void topic_settings_changed(const std::string& topic);
  /// Tells the coordinator a group's own settings.
  void group_settings_changed(const std::string& group);

  Committer& committer() { return committer_; }
  FlushBounds& flush_bounds() { return flush_bounds_; }
  StorageFaults& storage_faults() { return storage_faults_; }
  SchemaCheck& schema_check() { return *schema_check_; }
  Parking& parking() { return parking_; }
  AnswerMemory& answer_memory() { return answer_memory_; }
  FetchSessions& fetch_sessions() { return fetch_sessions_; }
  Features& features() { return features_; }
  const Features& features() const { return features_; }
  ProducerIds& producer_ids() { return producer_ids_; }
  GroupCoordinator& groups() { return groups_; }
  ProducerTurns& producer_turns() { return producer_turns_; }
  ShareCoordinator& share() { return share_; }
  ShareSessions& share_sessions() { return share_sessions_; }
  TransactionMarkers& markers() { return markers_; }
  TransactionCoordinator& transactions() { return transactions_; }
  RequestMetrics& requests() { return requests_; }

  /// A topic by name, made first when it is missing, allowed by auto.create.topics.enable and
  /// `create`. kNotFound, or why it cannot be made.
  Result<log::Topic> find_or_create(const std::string& name, bool create);
  /// __consumer_offsets and its like.
  static bool is_internal(std::string_view topic);

  // What handlers tell of topics; the coordinator wants to know.
  void topic_changed(const log::Topic& topic);
  void topic_deleted(const log::Topic& topic);

  /// Runs `work` on a thread that may wait for the disk, one after the other.
  void later(std::move_only_function<void()> work) { worker_.post(std::move(work)); }

  /// Ends what waits; no call comes after it.
  void stop();

 private:
  Broker(log::Log& log, BrokerConfig config, std::string folder,
         std::unique_ptr<ConfigStore> config_store, SchemaIds* registry);
  Status read_identity();
  Status open_security();

  log::Log& log_;
  const BrokerConfig config_;
  const std::string folder_;
  std::string cluster_id_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  auth::ScramUsers scram_users_;
  auth::DelegationTokens tokens_;
  std::unique_ptr<auth::Authorizer> authorizer_;
  auth::Quotas quotas_;
  ConnectionRates connection_rates_{quotas_};
  std::atomic<std::uint64_t> failed_logins_ = 0;
  RequestMetrics requests_;
  Features features_;
  const std::unique_ptr<ConfigStore> config_store_;
  ProducerIds producer_ids_;
  AnswerMemory answer_memory_{256 << 20};
  FetchSessions fetch_sessions_;
  Worker worker_;
  Committer committer_;
  FlushBounds flush_bounds_;
  StorageFaults storage_faults_;
  Parking parking_;
  ShareSessions share_sessions_;
  ShareCoordinator share_;
  ProducerTurns producer_turns_;
  GroupCoordinator groups_;
  TransactionMarkers markers_;
  TransactionCoordinator transactions_;
  const std::unique_ptr<SchemaCheck> schema_check_;
};

/// The leader epoch of every partition: there was never another leader.
inline constexpr std::int32_t kLeaderEpoch = 0;

/// Of the epoch a client believes to be the current one (KIP-320); -1 is "does not matter".
inline ErrorCode check_epoch(std::int32_t current) {
  if (current < 0 || current == kLeaderEpoch) return ErrorCode::kNone;
  return current < kLeaderEpoch ? ErrorCode::kFencedLeaderEpoch : ErrorCode::kUnknownLeaderEpoch;
}

}  // namespace tailrace::kafka
