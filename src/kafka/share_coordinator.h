// The partitions of topics as share groups read them (KIP-932): what share::SharePartition decides
// is put into __share_group_state, and answered when it is durable there. In Kafka these are two
// brokers' work, the partition's leader's and the share coordinator's; here nobody is between them.
//
// A share partition is there when a group's coordinator has initialised it. Its state is made from
// what was kept when somebody first fetches from it.
//
// Of the state topic only what follows the oldest newest snapshot is needed: prune() removes the
// rest, and writes new snapshots of share partitions that nobody touches.
//
// Threads: everything from any thread. Answers come on the caller's thread or the committer's.
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "kafka/committer.h"
#include "kafka/coordinator_topic.h"
#include "kafka/error_code.h"
#include "kafka/parking.h"
#include "kafka/share_settings.h"
#include "log/log.h"
#include "share/kept_state.h"
#include "share/share_partition.h"

namespace tailrace::kafka {

inline constexpr const char* kShareStateTopic = "__share_group_state";

class ShareCoordinator {
 public:
  struct Config {
    std::int32_t partitions = 50;     // share.coordinator.state.topic.num.partitions
    std::int32_t updates = 500;       // share.coordinator.snapshot.update.records.per.snapshot
    std::int64_t prune_ms = 300'000;  // share.coordinator.state.topic.prune.interval.ms
    std::int64_t segment_bytes = 100 << 20;  // share.coordinator.state.topic.segment.bytes
  };
  /// Of a group, as they are now.
  using SettingsOf = std::function<ShareSettings(const std::string& group)>;
  using Partition = std::shared_ptr<log::Partition>;

  ShareCoordinator(log::Log& log, Committer& committer, Parking& parking, SettingsOf settings_of,
                   Config config);
  ~ShareCoordinator();

  /// Makes the state from __share_group_state, when there is one.
  Status start();
  /// No lock ends after it, and nobody gives up what he has: it is as after a crash.
  void stop();

  /// What a group's own settings say now; asked again when they change.
  ShareSettings settings(const std::string& group);
  void settings_changed();

  // The group coordinator's, and appended without waiting: who answers for it waits for the
  // partition of the state topic that comes back.

  /// A group has the partition from now on, from `start` on (kNoStart: as its settings say).
  Result<Partition> initialise(const share::Key& key, share::StateEpoch epoch, Offset start);
  /// A group has it no longer. Null when it had not.
  Result<Partition> forget(const share::Key& key);

  bool has(const share::Key& key) { return find(key) != nullptr; }
  /// Whether what is kept of the share partition (share_key_text()) is damaged: it is not served.
  bool is_offline(std::string_view key) const;

  struct Position {
    Offset start = share::kNoStart;
    std::int32_t complete = -1;  // records from `start` on that are final; -1: not counted
  };
  /// As it was kept.
  Position position(const share::Key& key);
  /// What is with members, or was given back, since the broker started.
  std::vector<share::InFlight> in_flight(const share::Key& key);

  // Members'.

  struct FetchTask {
    std::string member;
    std::int64_t max_bytes = 0;
    std::int32_t max_records = 0;
    std::int32_t batch_size = 0;
    bool exactly = false;
  };
  struct Fetched {
    ErrorCode error = ErrorCode::kNone;
    std::vector<share::Acquired> acquired;
    log::ReadBuffer buffer;
    std::uint64_t freed = 0;   // for wait()
    std::string_view records;  // in the buffer: whole batches, up to the last acquired
  };
  Fetched fetch(const share::Key& key, const Partition& partition, const FetchTask& task);
  /// Wakes who is parked when something in the share partition comes free, at once when that
  /// happened since the fetch that said `freed`.
  void wait(const share::Key& key, std::uint64_t freed,
            const std::shared_ptr<Parking::Parked>& parked);

  using Acknowledged = std::move_only_function<void(ErrorCode error, std::string_view message)>;
  void acknowledge(const share::Key& key, const Partition& partition, const std::string& member,
                   std::span<const share::Acknowledgement> acknowledgements, Acknowledged done);
  /// Records that were given to members, and what became of them; any thread.
  void write_metrics(MetricsText& out) const;
  /// The member's session ended: what it has is others'.
  void release(const share::Key& key, const std::string& member);

 private:
  struct One;
  using Deadlines = std::multimap<TimestampMs, std::weak_ptr<One>>;

  Status replay(log::Partition& partition);
  Status replay(const log::BatchView& batch, const log::Partition& partition);
  void replay(const share::Record& record, Offset at, PartitionId index);
  Status ensure_topic();
  std::shared_ptr<One> find(const share::Key& key);
  /// Of a share partition that is not there.
  ErrorCode not_found(const share::Key& key) const;
  /// With its mutex held, from here on.
  Status load(One& one, log::Partition& partition, const ShareSettings& settings);
  Result<Offset> first_offset(log::Partition& partition, const ShareSettings& settings);
  Result<std::vector<share::ReadBatch>> read(log::Partition& partition, Offset from, Offset upto,
                                             std::int64_t max_bytes, bool committed,
                                             log::ReadBuffer& buffer);
  Result<Partition> append(One& one, std::variant<share::Snapshot, share::Update> value);
  /// Null when nothing is to be written.
  Result<Partition> keep(One& one, share::Settled& settled);
  Result<Partition> write(const share::Key& key, const share::Record& record, Offset& at);
  void schedule(const std::shared_ptr<One>& one);
  void wake(One& one);

  void tick();
  void expire(const std::shared_ptr<One>& one);
  std::vector<std::shared_ptr<One>> all();
  void renew_snapshots();
  void prune();
  TimestampMs now() const;

  log::Log& log_;
  Committer& committer_;
  Parking& parking_;
  const SettingsOf settings_of_;
  void count(std::span<const share::Acknowledgement> acknowledgements);

  const Config config_;
  Counter acquired_;
  std::array<Counter, 5> acknowledged_;  // by AcknowledgeType
  std::mutex mutex_;                     // never held while one's own is waited for
  std::condition_variable changed_;
  std::int32_t partitions_;
  OfflinePartitions offline_;  // as it was at the start
  std::map<share::Key, std::shared_ptr<One>> all_;
  std::map<std::string, ShareSettings> settings_;
  Deadlines deadlines_;
  bool stopping_ = false;
  std::thread timer_;
};

}  // namespace tailrace::kafka
