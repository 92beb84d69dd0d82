// The coordinator of groups: gives events and time to groups::Groups, puts its records into
// __consumer_offsets, tells the ShareCoordinator which partitions share groups have, and puts the
// answers out when what they rest on is durable.
//
// Threads: ask() and the topic_…() calls from any thread. Answers come on the caller's thread, the
// committer's or the coordinator's own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "groups/groups.h"
#include "kafka/calls.h"
#include "kafka/committer.h"
#include "kafka/coordinator_topic.h"
#include "kafka/share_coordinator.h"
#include "log/log.h"
#include "log/transactions.h"

namespace tailrace::kafka {

inline constexpr const char* kOffsetsTopic = "__consumer_offsets";

class GroupCoordinator {
 public:
  struct Config {
    groups::GroupsConfig groups;
    std::int32_t partitions = 50;  ///< offsets.topic.num.partitions, when the topic is made
  };
  /// An Error when the records could not be written: the client may ask again.
  using Done = std::move_only_function<void(const Result<groups::Answer>& answer)>;

  GroupCoordinator(log::Log& log, Committer& committer, ShareCoordinator& share, Config config);
  ~GroupCoordinator();

  /// Makes the state from __consumer_offsets, when there is one.
  Status start();
  void ask(groups::Happening what, Done done);
  /// Ends a producer's transaction in a partition of __consumer_offsets; `done` when the marker is
  /// durable, or with what log::Partition::end_transaction says.
  void end_transaction(PartitionId partition, const log::EndMarker& marker,
                       std::move_only_function<void(const Status& status)> done);
  /// The partition of __consumer_offsets that holds a group.
  PartitionId partition_of(const std::string& group);
  /// Whether that is damaged: the group is not served.
  bool is_offline(const std::string& group);
  void topic_changed(const log::Topic& topic);
  void topic_deleted(const log::Topic& topic);
  /// A group's own settings; those that are not set are the coordinator's.
  void settings_changed(groups::GroupSettings settings);
  /// No answer comes after it.
  void stop();

 private:
  struct Answered {
    Done done;
    groups::Answer answer;
  };
  /// The answers of one step, and the partitions whose syncs they wait for.
  struct Step {
    std::vector<Answered> answers;
    std::vector<std::move_only_function<void(const Status&)>> ended;
    int syncs = 0;
    Status synced;
  };
  /// Records for one partition, in a producer's transaction when there is one.
  struct Batch {
    std::int32_t partition = 0;
    std::optional<groups::Producer> producer;
    std::vector<groups::Record> records;
  };
  using Batches = std::vector<Batch>;

  Status replay();
  Status replay(log::Partition& partition);
  Status replay(const log::BatchView& batch, PartitionId partition);
  void replay(const log::EndMarker& marker, PartitionId partition);
  Status ensure_topic();
  // With mutex_ held.
  bool offline(const std::string& group) const;
  bool offline(const groups::Happening& what) const;
  void refuse_offline(groups::Answer& answer) const;
  /// An event that nobody waits for an answer to.
  void tell(groups::Happening what);
  /// With mutex_ held; what is to be called when it is released.
  Calls perform(groups::Actions actions);
  using Partitions = std::vector<std::shared_ptr<log::Partition>>;
  Result<Partitions> share(const groups::Actions& actions);
  Status initialise_missing();
  Result<Partitions> append(const Batches& batches);
  Status append(log::Partition& partition, const Batch& batch);
  void when_durable(std::shared_ptr<log::Partition> partition, const std::shared_ptr<Step>& step);
  void synced(const std::shared_ptr<Step>& step, const Status& status);
  Calls flush();
  Calls fail(const Error& why);
  void tick();
  TimestampMs now();
  groups::Groups fresh() const;

  log::Log& log_;
  Committer& committer_;
  ShareCoordinator& share_;
  const Config config_;
  std::int32_t partitions_;
  OfflinePartitions offline_;
  std::mutex mutex_;
  std::condition_variable changed_;
  groups::Groups groups_;
  std::map<std::string, groups::GroupSettings> settings_;
  TimestampMs last_now_{0};
  std::uint64_t last_request_ = 0;
  std::map<groups::RequestId, Done> waiting_;
  std::deque<std::shared_ptr<Step>> steps_;  // in order: an answer follows all earlier records
  bool stopping_ = false;
  std::thread timer_;
};

}  // namespace tailrace::kafka
