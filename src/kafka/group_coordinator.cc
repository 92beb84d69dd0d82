#include "kafka/group_coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "base/log.h"
#include "kafka/coordinator_partition.h"
#include "kafka/group_records.h"
#include "kafka/share_records.h"
#include "rt/even_clock.h"
#include "rt/random.h"

namespace tailrace::kafka {
namespace {

constexpr std::int64_t kSegmentBytes = 100 << 20;  // offsets.topic.segment.bytes

/// A random UUID (RFC 9562, version 4) as text.
std::string new_uuid() {
  thread_local rt::Random random(rt::system_seed());
  const std::uint64_t high = (random.next() & ~0xf000ULL) | 0x4000ULL;
  const std::uint64_t low = (random.next() >> 2) | (1ULL << 63);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffffffffffffULL);
}

groups::Topic topic_of(const log::Topic& topic) {
  return {{topic.id}, topic.settings.partitions};
}

}  // namespace

GroupCoordinator::GroupCoordinator(log::Log& log, Committer& committer, ShareCoordinator& share,
                                   Config config)
    : log_(log),
      committer_(committer),
      share_(share),
      config_(config),
      partitions_(config.partitions),
      groups_(fresh()) {}

GroupCoordinator::~GroupCoordinator() {
  stop();
}

groups::Groups GroupCoordinator::fresh() const {
  return groups::Groups(config_.groups, new_uuid);
}

Status GroupCoordinator::start() {
  {
    const std::unique_lock lock(mutex_);
    TRY(replay());
  }
  timer_ = std::thread([this] { tick(); });
  return {};
}

void GroupCoordinator::stop() {
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (timer_.joinable()) timer_.join();
  const std::unique_lock lock(mutex_);
  waiting_.clear();
  steps_.clear();
}

TimestampMs GroupCoordinator::now() {
  last_now_ = std::max(last_now_, rt::even_clock().now());
  return last_now_;
}

Status GroupCoordinator::replay() {
  if (const auto topic = log_.topic(kOffsetsTopic)) partitions_ = topic->settings.partitions;
  TRY(replay_topic(
      log_, kOffsetsTopic, offline_, [&] { groups_ = fresh(); },
      [&](log::Partition& partition) { return replay(partition); }));
  for (const auto& topic : log_.topics()) {
    groups_.step({{}, groups::TopicChanged{topic.name, topic_of(topic)}}, now());
  }
  for (const auto& [group, settings] : settings_) groups_.step({{}, settings}, now());
  groups_.start(now());
  return initialise_missing();
}

/// A crash may have kept a share group's record and not what it initialised.
Status GroupCoordinator::initialise_missing() {
  for (const auto& [id, group] : groups_.share_groups()) {
    for (const auto& [topic, shared] : group.topics()) {
      for (const auto index : shared.partitions) {
        const share::Key key{id, topic.bytes, PartitionId(index)};
        if (share_.has(key) || share_.is_offline(share_key_text(key))) continue;
        TRY(share_.initialise(key, share::StateEpoch(group.epoch().value), share::kNoStart));
      }
    }
  }
  return {};
}

Status GroupCoordinator::replay(log::Partition& partition) {
  return read_batches(partition,
                      [&](const log::BatchView& batch) { return replay(batch, partition.id()); });
}

Status GroupCoordinator::replay(const log::BatchView& batch, PartitionId partition) {
  const groups::Producer producer{batch.producer_id(), batch.producer_epoch()};
  if (batch.control()) {
    if (const auto marker = log::parse_marker(batch)) {
      replay({producer.id, producer.epoch, marker->end, marker->coordinator_epoch}, partition);
    }
    return {};
  }
  const auto in = batch.transactional() ? std::optional(producer) : std::nullopt;
  std::string plain;
  ASSIGN(auto records, batch.records(plain));
  for (log::RecordView record; records.next(record);) {
    if (!record.key) continue;
    auto decoded = decode_group_record(*record.key, record.value);
    if (!decoded) {
      return error(Code::kDataLoss, fmt::format("{}-{}@{}: {}", kOffsetsTopic, partition.value,
                                                record.offset.value, decoded.error().what));
    }
    if (*decoded) groups_.replay(**decoded, in);
  }
  return records.status();
}

void GroupCoordinator::replay(const log::EndMarker& marker, PartitionId partition) {
  groups_.replay({{marker.producer_id, marker.epoch}, marker.end == log::TransactionEnd::kCommit},
                 [&](const std::string& group) {
                   return coordinator_partition(group, partitions_) == partition.value;
                 });
}

Status GroupCoordinator::ensure_topic() {
  return ensure_coordinator_topic(log_, kOffsetsTopic, config_.partitions, kSegmentBytes, true);
}

bool GroupCoordinator::is_offline(const std::string& group) {
  const std::unique_lock lock(mutex_);
  return offline(group);
}

bool GroupCoordinator::offline(const std::string& group) const {
  return offline_.contains(coordinator_partition(group, partitions_));
}

/// A request of one group.
bool GroupCoordinator::offline(const groups::Happening& what) const {
  return holds_of(
      what, [&](const auto& one) requires requires { one.group; } { return offline(one.group); });
}

/// Of a request of several groups: those that are offline are not missing.
void GroupCoordinator::refuse_offline(groups::Answer& answer) const {
  std::visit(
      [&](auto& some) {
        if constexpr (requires { some.groups.front().error; }) {
          for (auto& one : some.groups) {
            if (!offline(one.group)) continue;
            std::remove_cvref_t<decltype(one)> refused{};
            refused.group = std::move(one.group);
            refused.error = groups::ErrorCode::kCoordinatorNotAvailable;
            one = std::move(refused);
          }
        }
      },
      answer);
}

void GroupCoordinator::ask(groups::Happening what, Done done) {
  Calls calls;
  {
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    if (offline(what)) {
      lock.unlock();
      return done(error(Code::kUnavailable, "what is kept of the group is damaged"));
    }
    const groups::RequestId id(++last_request_);
    waiting_.emplace(id, std::move(done));
    calls = perform(groups_.step({id, std::move(what)}, now()));
    changed_.notify_all();
  }
  call_all(calls);
}

void GroupCoordinator::tell(groups::Happening what) {
  Calls calls;
  {
    const std::unique_lock lock(mutex_);
    calls = perform(groups_.step({{}, std::move(what)}, now()));
    changed_.notify_all();
  }
  call_all(calls);
}

void GroupCoordinator::topic_changed(const log::Topic& topic) {
  tell(groups::TopicChanged{topic.name, topic_of(topic)});
}

void GroupCoordinator::topic_deleted(const log::Topic& topic) {
  tell(groups::TopicDeleted{topic.name});
}

void GroupCoordinator::settings_changed(groups::GroupSettings settings) {
  {
    const std::unique_lock lock(mutex_);
    settings_[settings.group] = settings;
  }
  tell(std::move(settings));
}

void GroupCoordinator::tick() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto due = groups_.next_deadline();
    if (!due) {
      changed_.wait(lock);
      continue;
    }
    const auto wait = std::chrono::milliseconds(*due - now());
    if (wait.count() > 0) {
      changed_.wait_for(lock, wait);
      continue;
    }
    auto calls = perform(groups_.step({{}, groups::Tick{}}, now()));
    lock.unlock();
    call_all(calls);
    lock.lock();
  }
}

void GroupCoordinator::end_transaction(PartitionId partition, const log::EndMarker& marker,
                                       std::move_only_function<void(const Status& status)> done) {
  const auto write = [&]() -> Result<std::shared_ptr<log::Partition>> {
    ASSIGN(auto found, log_.partition(kOffsetsTopic, partition));
    TRY(found->end_transaction(marker, log::Durability::kNoSync));
    return found;
  };
  Status status;
  {
    const std::unique_lock lock(mutex_);
    if (stopping_) return;
    auto written = write();
    if (written) {
      replay(marker, partition);
      auto step = std::make_shared<Step>();
      step->ended.push_back(std::move(done));
      steps_.push_back(step);
      step->syncs = 1;
      return when_durable(std::move(*written), step);
    }
    status = std::unexpected(written.error());
  }
  done(status);
}

PartitionId GroupCoordinator::partition_of(const std::string& group) {
  const std::unique_lock lock(mutex_);
  return PartitionId(coordinator_partition(group, partitions_));
}

void GroupCoordinator::when_durable(std::shared_ptr<log::Partition> partition,
                                    const std::shared_ptr<Step>& step) {
  committer_.when_durable(std::move(partition),
                          [this, step](const Status& status) { synced(step, status); });
}

Calls GroupCoordinator::perform(groups::Actions actions) {
  auto step = std::make_shared<Step>();
  Batches batches;
  for (auto& action : actions) {
    if (auto* append = std::get_if<groups::Append>(&action)) {
      const auto partition = coordinator_partition(group_of(append->record), partitions_);
      const auto last =
          std::ranges::find(batches.rbegin(), batches.rend(), partition, &Batch::partition);
      if (last == batches.rend() || last->producer != append->producer) {
        batches.push_back({partition, append->producer, {std::move(append->record)}});
      } else {
        last->records.push_back(std::move(append->record));
      }
    } else if (auto* reply = std::get_if<groups::Reply>(&action)) {
      auto waiting = waiting_.extract(reply->request);
      if (!waiting.empty()) {
        refuse_offline(reply->answer);
        step->answers.push_back({std::move(waiting.mapped()), std::move(reply->answer)});
      }
    }
  }
  steps_.push_back(step);
  auto written = share(actions);
  if (!written) return fail(written.error());
  if (!batches.empty()) {
    auto appended = append(batches);
    if (!appended) return fail(appended.error());
    std::ranges::move(*appended, std::back_inserter(*written));
  }
  step->syncs = static_cast<int>(written->size());
  for (const auto& partition : *written) when_durable(partition, step);
  return flush();
}

/// What share groups have from now on, and have no longer; each partition of the state topic once.
Result<GroupCoordinator::Partitions> GroupCoordinator::share(const groups::Actions& actions) {
  Partitions written;
  const auto add = [&](ShareCoordinator::Partition partition) {
    if (partition != nullptr && std::ranges::find(written, partition) == written.end()) {
      written.push_back(std::move(partition));
    }
  };
  // What is kept in a damaged partition stays as it is: it is initialised at a later start.
  const auto offline = [&](const auto& one) {
    return share_.is_offline(
        share_key_text({one.group, one.topic.bytes, PartitionId(one.partition)}));
  };
  for (const auto& action : actions) {
    if (const auto* one = std::get_if<groups::ShareInitialise>(&action)) {
      if (offline(*one)) continue;
      ASSIGN(auto partition,
             share_.initialise({one->group, one->topic.bytes, PartitionId(one->partition)},
                               share::StateEpoch(one->epoch.value), Offset(one->start)));
      add(std::move(partition));
    } else if (const auto* gone = std::get_if<groups::ShareForget>(&action)) {
      if (offline(*gone)) continue;
      ASSIGN(auto partition,
             share_.forget({gone->group, gone->topic.bytes, PartitionId(gone->partition)}));
      add(std::move(partition));
    }
  }
  return written;
}

Result<GroupCoordinator::Partitions> GroupCoordinator::append(const Batches& batches) {
  TRY(ensure_topic());
  Partitions appended;
  for (const auto& batch : batches) {
    ASSIGN(auto partition, log_.partition(kOffsetsTopic, PartitionId(batch.partition)));
    TRY(append(*partition, batch));
    appended.push_back(std::move(partition));
  }
  return appended;
}

Status GroupCoordinator::append(log::Partition& partition, const Batch& batch) {
  std::deque<RecordBytes> bytes;
  std::vector<log::Record> records;
  for (const auto& one : batch.records) {
    ASSIGN(auto encoded, encode_group_record(one));
    bytes.push_back(std::move(encoded));
    records.push_back(bytes.back().record());
  }
  log::Producer producer;
  if (batch.producer) producer = {batch.producer->id, batch.producer->epoch, -1, true};
  TRY(partition.append(records, producer, log::Durability::kNoSync));
  return {};
}

void GroupCoordinator::synced(const std::shared_ptr<Step>& step, const Status& status) {
  Calls calls;
  {
    const std::unique_lock lock(mutex_);
    --step->syncs;
    if (!status) step->synced = status;
    calls = flush();
  }
  call_all(calls);
}

Calls GroupCoordinator::flush() {
  Calls calls;
  while (!steps_.empty() && steps_.front()->syncs == 0) {
    const auto step = std::move(steps_.front());
    steps_.pop_front();
    for (auto& ended : step->ended) {
      calls.push_back(
          [ended = std::move(ended), status = step->synced]() mutable { ended(status); });
    }
    for (auto& answered : step->answers) {
      Result<groups::Answer> answer = std::move(answered.answer);
      if (!step->synced) answer = std::unexpected(step->synced.error());
      calls.push_back([done = std::move(answered.done), answer = std::move(answer)]() mutable {
        done(answer);
      });
    }
  }
  return calls;
}

Calls GroupCoordinator::fail(const Error& why) {
  LOG(error, "{}: {}; the groups are read again from it", kOffsetsTopic, why.what);
  Calls calls;
  const auto tell = [&](Done done) {
    calls.push_back([done = std::move(done), why]() mutable { done(std::unexpected(why)); });
  };
  for (const auto& step : steps_) {
    for (auto& answered : step->answers) tell(std::move(answered.done));
    step->answers.clear();
    for (auto& ended : step->ended) {
      calls.push_back([ended = std::move(ended), why]() mutable { ended(std::unexpected(why)); });
    }
    step->ended.clear();
  }
  for (auto& [id, done] : waiting_) tell(std::move(done));
  waiting_.clear();
  if (auto replayed = replay(); !replayed) {
    LOG(error, "the groups could not be read: {}", replayed.error().what);
  }
  return calls;
}

}  // namespace tailrace::kafka
