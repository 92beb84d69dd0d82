#include "kafka/transaction_coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/log.h"
#include "kafka/coordinator_partition.h"
#include "kafka/transaction_records.h"
#include "rt/even_clock.h"

namespace tailrace::kafka {
namespace {

constexpr std::int64_t kSegmentBytes = 100 << 20;  // transaction.state.log.segment.bytes
constexpr std::int64_t kRetryMs = 1'000;
constexpr std::string_view kFeature = "transaction.version";

log::EndMarker marker_of(const transactions::WriteMarkers& markers) {
  return {markers.producer.id, markers.producer.epoch,
          markers.commit ? log::TransactionEnd::kCommit : log::TransactionEnd::kAbort, 0,
          markers.version.value};
}

/// A topic that is gone needs no marker; who is fenced off there has nothing open.
bool may_work_later(Code code) {
  return code != Code::kNotFound && code != Code::kAborted && code != Code::kFailedPrecondition;
}

}  // namespace

TransactionCoordinator::TransactionCoordinator(Around around, Config config)
    : around_(around), config_(config), partitions_(config.partitions), transactions_(fresh()) {}

TransactionCoordinator::~TransactionCoordinator() {
  stop();
}

transactions::Transactions TransactionCoordinator::fresh() const {
  return transactions::Transactions(config_.transactions,
                                    [&ids = around_.producer_ids]() -> std::optional<std::int64_t> {
                                      if (auto id = ids.next()) return *id;
                                      return std::nullopt;
                                    });
}

Status TransactionCoordinator::start() {
  Calls calls;
  {
    const std::unique_lock lock(mutex_);
    TRY(replay());
    calls = perform(transactions_.start(now()));
  }
  timer_ = std::thread([this] { tick(); });
  call_all(calls);
  return {};
}

void TransactionCoordinator::stop() {
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (timer_.joinable()) timer_.join();
  const std::unique_lock lock(mutex_);
  waiting_.clear();
  steps_.clear();
  again_.clear();
}

TimestampMs TransactionCoordinator::now() {
  last_now_ = std::max(last_now_, rt::even_clock().now());
  return last_now_;
}

Status TransactionCoordinator::replay() {
  ++life_;
  again_.clear();
  if (const auto topic = around_.log.topic(kTransactionsTopic)) {
    partitions_ = topic->settings.partitions;
  }
  TRY(replay_topic(
      around_.log, kTransactionsTopic, offline_, [&] { transactions_ = fresh(); },
      [&](log::Partition& partition) { return replay(partition); }));
  note_version();
  return {};
}

Status TransactionCoordinator::replay(log::Partition& partition) {
  std::string plain;
  return read_batches(partition, [&](const log::BatchView& batch) -> Status {
    if (batch.control()) return {};
    ASSIGN(auto records, batch.records(plain));
    for (log::RecordView record; records.next(record);) {
      if (!record.key) continue;
      auto decoded = decode_transaction_record(*record.key, record.value);
      if (!decoded) {
        return error(Code::kDataLoss,
                     fmt::format("{}-{}@{}: {}", kTransactionsTopic, partition.id().value,
                                 record.offset.value, decoded.error().what));
      }
      if (*decoded) transactions_.replay(**decoded);
    }
    return records.status();
  });
}

Status TransactionCoordinator::ensure_topic() {
  return ensure_coordinator_topic(around_.log, kTransactionsTopic, config_.partitions,
                                  kSegmentBytes, true);
}

void TransactionCoordinator::note_version() {
  transactions_.set_version(transactions::Version(around_.features.level(kFeature)));
}

bool TransactionCoordinator::is_offline(const std::string& id) {
  const std::unique_lock lock(mutex_);
  return offline(id);
}

bool TransactionCoordinator::offline(const std::string& id) const {
  return offline_.contains(coordinator_partition(id, partitions_));
}

/// A request of one transactional id.
bool TransactionCoordinator::offline(const transactions::Happening& what) const {
  return holds_of(
      what, [&](const auto& one) requires requires { one.id; } { return offline(one.id); });
}

/// Of a request of several: those that are offline are not missing.
void TransactionCoordinator::refuse_offline(transactions::Answer& answer) const {
  auto* described = std::get_if<transactions::DescribeAnswer>(&answer);
  if (described == nullptr) return;
  for (auto& one : described->transactions) {
    if (offline(one.id))
      one = {.error = transactions::ErrorCode::kCoordinatorNotAvailable, .id = std::move(one.id)};
  }
}

void TransactionCoordinator::ask(transactions::Happening what, Done done) {
  Calls calls;
  {
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    if (offline(what)) {
      lock.unlock();
      return done(error(Code::kUnavailable, "what is kept of the transactional id is damaged"));
    }
    const transactions::RequestId id(++last_request_);
    waiting_.emplace(id, std::move(done));
    note_version();
    calls = perform(transactions_.step({id, std::move(what)}, now()));
    changed_.notify_all();
  }
  call_all(calls);
}

void TransactionCoordinator::tick() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    auto due = transactions_.next_deadline();
    if (!again_.empty() && (!due || again_.begin()->first < *due)) due = again_.begin()->first;
    if (!due) {
      changed_.wait(lock);
      continue;
    }
    const auto wait = std::chrono::milliseconds(*due - now());
    if (wait.count() > 0) {
      changed_.wait_for(lock, wait);
      continue;
    }
    auto calls = step_all_due();
    lock.unlock();
    call_all(calls);
    lock.lock();
  }
}

Calls TransactionCoordinator::step_all_due() {
  note_version();
  Calls calls = perform(transactions_.step({{}, transactions::Tick{}}, now()));
  while (!again_.empty() && again_.begin()->first <= now()) {
    calls.push_back([this, marking = again_.begin()->second] { mark(marking); });
    again_.erase(again_.begin());
  }
  return calls;
}

Calls TransactionCoordinator::perform(transactions::Actions actions) {
  auto step = std::make_shared<Step>();
  Records records;
  for (auto& action : actions) {
    if (auto* append = std::get_if<transactions::Append>(&action)) {
      const auto partition = coordinator_partition(append->record.id, partitions_);
      records[partition].push_back(std::move(append->record));
    } else if (auto* markers = std::get_if<transactions::WriteMarkers>(&action)) {
      step->markers.push_back(std::move(*markers));
    } else if (auto* reply = std::get_if<transactions::Reply>(&action)) {
      auto waiting = waiting_.extract(reply->request);
      if (!waiting.empty()) {
        refuse_offline(reply->answer);
        step->answers.push_back({std::move(waiting.mapped()), std::move(reply->answer)});
      }
    }
  }
  steps_.push_back(step);
  if (!records.empty()) {
    const auto appended = append(records);
    if (!appended) return fail(appended.error());
    step->syncs = static_cast<int>(appended->size());
    for (const auto& partition : *appended) {
      around_.committer.when_durable(partition,
                                     [this, step](const Status& status) { synced(step, status); });
    }
  }
  return flush();
}

Result<std::vector<std::shared_ptr<log::Partition>>> TransactionCoordinator::append(
    const Records& records) {
  TRY(ensure_topic());
  const Version version(around_.features.level(kFeature) >= 1 ? 1 : 0);
  std::vector<std::shared_ptr<log::Partition>> appended;
  for (const auto& [index, members] : records) {
    ASSIGN(auto partition, around_.log.partition(kTransactionsTopic, PartitionId(index)));
    std::deque<RecordBytes> bytes;
    std::vector<log::Record> batch;
    for (const auto& member : members) {
      ASSIGN(auto encoded, encode_transaction_record(member, version));
      bytes.push_back(std::move(encoded));
      batch.push_back(bytes.back().record());
    }
    TRY(partition->append(batch, {}, log::Durability::kNoSync));
    appended.push_back(std::move(partition));
  }
  return appended;
}

void TransactionCoordinator::synced(const std::shared_ptr<Step>& step, const Status& status) {
  Calls calls;
  {
    const std::unique_lock lock(mutex_);
    --step->syncs;
    if (!status) step->synced = status;
    calls = flush();
  }
  call_all(calls);
}

Calls TransactionCoordinator::flush() {
  Calls calls;
  while (!steps_.empty() && steps_.front()->syncs == 0) {
    const auto step = std::move(steps_.front());
    steps_.pop_front();
    for (auto& answered : step->answers) {
      Result<transactions::Answer> answer = std::move(answered.answer);
      if (!step->synced) answer = std::unexpected(step->synced.error());
      calls.push_back([done = std::move(answered.done), answer = std::move(answer)]() mutable {
        done(answer);
      });
    }
    if (!step->synced || stopping_) continue;
    for (auto& markers : step->markers) {
      auto marking = std::make_shared<Marking>(Marking{std::move(markers), life_});
      calls.push_back([this, marking] { mark(marking); });
    }
  }
  return calls;
}

Calls TransactionCoordinator::fail(const Error& why) {
  LOG(error, "{}: {}; the transactions are read again from it", kTransactionsTopic, why.what);
  Calls calls;
  const auto tell = [&](Done done) {
    calls.push_back([done = std::move(done), why]() mutable { done(std::unexpected(why)); });
  };
  for (const auto& step : steps_) {
    for (auto& answered : step->answers) tell(std::move(answered.done));
    step->answers.clear();
    step->markers.clear();
  }
  for (auto& [id, done] : waiting_) tell(std::move(done));
  waiting_.clear();
  if (auto replayed = replay(); !replayed) {
    LOG(error, "the transactions could not be read: {}", replayed.error().what);
    return calls;
  }
  for (auto& call : perform(transactions_.start(now()))) calls.push_back(std::move(call));
  return calls;
}

void TransactionCoordinator::mark(const std::shared_ptr<Marking>& marking) {
  const auto& markers = marking->markers;
  marking->failed = false;
  marking->left = 1;
  for (const auto& [topic, partitions] : markers.partitions) {
    marking->left += static_cast<int>(partitions.size());
  }
  for (const auto& [topic, partitions] : markers.partitions) {
    for (const auto partition : partitions) {
      around_.markers.write(topic, PartitionId(partition), marker_of(markers),
                            [this, marking, topic, partition](const Status& status) {
                              marked(marking, topic, partition, status);
                            });
    }
  }
  marked(marking, "", 0, {});
}

void TransactionCoordinator::marked(const std::shared_ptr<Marking>& marking,
                                    const std::string& topic, int partition, const Status& status) {
  const auto& markers = marking->markers;
  if (!status && !std::exchange(marking->told, true)) {
    LOG_OF(warn, log_of("topic", topic, "partition", partition),
           "the end of transaction {} was not written to {}-{}: {}", markers.id, topic, partition,
           status.error().what);
  }
  Calls calls;
  {
    const std::unique_lock lock(mutex_);
    if (!status && may_work_later(status.error().code)) marking->failed = true;
    if (--marking->left > 0 || stopping_ || marking->life != life_) return;
    if (marking->failed) {
      again_.emplace(now() + kRetryMs, marking);
      return changed_.notify_all();
    }
    (markers.commit ? committed_ : aborted_).add();
    const transactions::MarkersWritten done{markers.id, markers.producer};
    calls = perform(transactions_.step({{}, done}, now()));
    changed_.notify_all();
  }
  call_all(calls);
}

void TransactionCoordinator::write_metrics(MetricsText& out) {
  using transactions::State;
  transactions::Transactions::Census census;
  TimestampMs when{0};
  {
    const std::unique_lock lock(mutex_);
    census = transactions_.census();
    when = now();
  }
  out.family("tailrace_kafka_transactions", MetricType::kGauge,
             "Transactional ids, by the state of their last transaction.");
  for (const State state : {State::kEmpty, State::kOngoing, State::kPrepareCommit,
                            State::kPrepareAbort, State::kCompleteCommit, State::kCompleteAbort})
    out.add({{"state", transactions::state_name(state)}}, census.states[state]);
  out.family("tailrace_kafka_transaction_oldest_open_seconds", MetricType::kGauge,
             "Age of the oldest transaction that is not ended; 0 for none.");
  const std::int64_t age_ms = census.oldest_open ? when.value - census.oldest_open->value : 0;
  out.add({}, static_cast<double>(std::max<std::int64_t>(0, age_ms)) / 1000);
  out.family("tailrace_kafka_transactions_ended_total", MetricType::kCounter,
             "Transactions whose end is written to all their partitions.");
  out.add({{"outcome", "committed"}}, committed_.value());
  out.add({{"outcome", "aborted"}}, aborted_.value());
}

}  // namespace tailrace::kafka
