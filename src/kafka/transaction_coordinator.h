// The coordinator of transactions: gives events and time to transactions::Transactions, puts its
// records into __transaction_state, and its answers and markers out when what they rest on is
// durable.
//
// Threads: ask() from any thread. Answers come on the caller's thread, the committer's or the
// coordinator's own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "kafka/calls.h"
#include "kafka/committer.h"
#include "kafka/coordinator_topic.h"
#include "kafka/features.h"
#include "kafka/producer_ids.h"
#include "kafka/transaction_markers.h"
#include "log/log.h"
#include "transactions/transactions.h"

namespace tailrace::kafka {

inline constexpr const char* kTransactionsTopic = "__transaction_state";

class TransactionCoordinator {
 public:
  struct Config {
    transactions::TransactionsConfig transactions;
    std::int32_t partitions = 50;  ///< transaction.state.log.num.partitions, for a new topic
  };
  /// What the coordinator works with.
  struct Around {
    log::Log& log;
    Committer& committer;
    TransactionMarkers& markers;
    ProducerIds& producer_ids;
    const Features& features;
  };
  /// An Error when the records could not be written: the client may ask again.
  using Done = std::move_only_function<void(const Result<transactions::Answer>& answer)>;

  TransactionCoordinator(Around around, Config config);
  ~TransactionCoordinator();

  /// Makes the state from __transaction_state, when there is one, and writes the markers again of
  /// what is decided and perhaps not ended.
  Status start();
  void ask(transactions::Happening what, Done done);
  /// Whether what is kept of the transactional id is damaged: it is not served.
  bool is_offline(const std::string& id);
  /// Whether clients that add partitions to a transaction themselves must have done so before they
  /// write to them (transaction.partition.verification.enable); any thread.
  void set_verifies(bool verifies) { verifies_ = verifies; }
  bool verifies() const { return verifies_; }
  /// No answer comes after it.
  void stop();
  /// tailrace_kafka_transactions…; any thread.
  void write_metrics(MetricsText& out);

 private:
  struct Answered {
    Done done;
    transactions::Answer answer;
  };
  /// What one step wants when the syncs it waits for are done.
  struct Step {
    std::vector<Answered> answers;
    std::vector<transactions::WriteMarkers> markers;
    int syncs = 0;
    Status synced;
  };
  /// The markers of one transaction on their way; `life` tells which start() they are of.
  struct Marking {
    transactions::WriteMarkers markers;
    std::uint64_t life = 0;
    int left = 0;
    bool failed = false;
    bool told = false;  // that one could not be written
  };
  using Records = std::map<std::int32_t, std::vector<transactions::Record>>;  // by partition

  Status replay();
  Status replay(log::Partition& partition);
  Status ensure_topic();
  // With mutex_ held.
  bool offline(const std::string& id) const;
  bool offline(const transactions::Happening& what) const;
  void refuse_offline(transactions::Answer& answer) const;
  transactions::Transactions fresh() const;
  void note_version();
  /// With mutex_ held; what is to be called when it is released.
  Calls perform(transactions::Actions actions);
  Result<std::vector<std::shared_ptr<log::Partition>>> append(const Records& records);
  void synced(const std::shared_ptr<Step>& step, const Status& status);
  Calls flush();
  Calls fail(const Error& why);
  void mark(const std::shared_ptr<Marking>& marking);
  void marked(const std::shared_ptr<Marking>& marking, const std::string& topic, int partition,
              const Status& status);
  Calls step_all_due();
  void tick();
  TimestampMs now();

  const Around around_;
  const Config config_;
  std::int32_t partitions_;
  OfflinePartitions offline_;
  std::mutex mutex_;
  std::condition_variable changed_;
  transactions::Transactions transactions_;
  TimestampMs last_now_{0};
  std::uint64_t last_request_ = 0;
  std::uint64_t life_ = 0;
  std::map<transactions::RequestId, Done> waiting_;
  std::deque<std::shared_ptr<Step>> steps_;  // in order: an answer follows all earlier records
  std::multimap<TimestampMs, std::shared_ptr<Marking>> again_;  // markers that could not be written
  Counter committed_, aborted_;                                 // whose markers are all written
  std::atomic<bool> verifies_ = true;
  bool stopping_ = false;
  std::thread timer_;
};

}  // namespace tailrace::kafka
