#include "kafka/share_coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "kafka/coordinator_partition.h"
#include "kafka/share_records.h"
#include "rt/even_clock.h"

namespace tailrace::kafka {
namespace {

/// A fetch reads no more at once: what is acquired is counted in records, and is rarely more.
constexpr std::int64_t kReadBytes = 1 << 20;
/// Records of the state topic that a share partition's snapshot may hold back.
constexpr std::int64_t kHeldBack = 1000;

}  // namespace

/// A share partition.
struct ShareCoordinator::One {
  explicit One(share::Key k) : key(std::move(k)) {}

  std::mutex mutex;
  const share::Key key;
  share::KeptState kept;
  std::optional<share::SharePartition> live;
  std::vector<std::weak_ptr<Parking::Parked>> waiting;
  Offset snapshot_at{0};  // in its partition of the state topic
  std::int32_t index = 0;
  bool forgotten = false;
  TimestampMs scheduled{INT64_MAX};
  std::uint64_t freed = 0;  // how often something came free
};

ShareCoordinator::ShareCoordinator(log::Log& log, Committer& committer, Parking& parking,
                                   SettingsOf settings_of, Config config)
    : log_(log),
      committer_(committer),
      parking_(parking),
      settings_of_(std::move(settings_of)),
      config_(config),
      partitions_(config.partitions) {}

ShareCoordinator::~ShareCoordinator() {
  stop();
}

TimestampMs ShareCoordinator::now() const {
  return rt::even_clock().now();
}

Status ShareCoordinator::start() {
  if (const auto topic = log_.topic(kShareStateTopic)) {
    partitions_ = topic->settings.partitions;
  }
  TRY(replay_topic(
      log_, kShareStateTopic, offline_, [&] { all_.clear(); },
      [&](log::Partition& partition) { return replay(partition); }));
  timer_ = std::thread([this] { tick(); });
  return {};
}

void ShareCoordinator::stop() {
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (timer_.joinable()) timer_.join();
}

Status ShareCoordinator::replay(log::Partition& partition) {
  return read_batches(partition,
                      [&](const log::BatchView& batch) { return replay(batch, partition); });
}

Status ShareCoordinator::replay(const log::BatchView& batch, const log::Partition& partition) {
  if (batch.control()) return {};
  std::string plain;
  ASSIGN(auto records, batch.records(plain));
  for (log::RecordView record; records.next(record);) {
    if (!record.key) continue;
    auto decoded = decode_share_record(*record.key, record.value);
    if (!decoded) {
      return error(Code::kDataLoss,
                   fmt::format("{}-{}@{}: {}", kShareStateTopic, partition.id().value,
                               record.offset.value, decoded.error().what));
    }
    if (*decoded) replay(**decoded, record.offset, partition.id());
  }
  return records.status();
}

void ShareCoordinator::replay(const share::Record& record, Offset at, PartitionId index) {
  if (std::holds_alternative<share::Forgotten>(record.value)) {
    all_.erase(record.key);
    return;
  }
  auto& one = all_[record.key];
  if (const auto* snapshot = std::get_if<share::Snapshot>(&record.value)) {
    if (!one) one = std::make_shared<One>(record.key);
    one->kept.apply(*snapshot);
    one->snapshot_at = at;
    one->index = index.value;
  } else if (one) {
    one->kept.apply(std::get<share::Update>(record.value));
  } else {
    all_.erase(record.key);  // forgotten; its updates lie behind in the log
  }
}

Status ShareCoordinator::ensure_topic() {
  return ensure_coordinator_topic(log_, kShareStateTopic, config_.partitions, config_.segment_bytes,
                                  false);
}

ShareSettings ShareCoordinator::settings(const std::string& group) {
  {
    const std::unique_lock lock(mutex_);
    if (const auto found = settings_.find(group); found != settings_.end()) return found->second;
  }
  const auto settings = settings_of_(group);
  const std::unique_lock lock(mutex_);
  return settings_.insert_or_assign(group, settings).first->second;
}

void ShareCoordinator::settings_changed() {
  const std::unique_lock lock(mutex_);
  settings_.clear();
}

std::shared_ptr<ShareCoordinator::One> ShareCoordinator::find(const share::Key& key) {
  const std::unique_lock lock(mutex_);
  const auto found = all_.find(key);
  return found == all_.end() ? nullptr : found->second;
}

bool ShareCoordinator::is_offline(std::string_view key) const {
  return offline_.contains(coordinator_partition(key, partitions_));
}

ErrorCode ShareCoordinator::not_found(const share::Key& key) const {
  return is_offline(share_key_text(key)) ? ErrorCode::kCoordinatorNotAvailable
                                         : ErrorCode::kUnknownTopicOrPartition;
}

Result<ShareCoordinator::Partition> ShareCoordinator::write(const share::Key& key,
                                                            const share::Record& record,
                                                            Offset& at) {
  TRY(ensure_topic());
  const PartitionId index(coordinator_partition(share_key_text(key), partitions_));
  ASSIGN(auto partition, log_.partition(kShareStateTopic, index));
  ASSIGN(const auto bytes, encode_share_record(record));
  const log::Record appended = bytes.record();
  ASSIGN(const auto done, partition->append({&appended, 1}, {}, log::Durability::kNoSync));
  at = done.base_offset;
  return partition;
}

Result<ShareCoordinator::Partition> ShareCoordinator::append(
    One& one, std::variant<share::Snapshot, share::Update> value) {
  share::Record record{one.key, {}};
  std::visit([&](auto& some) { record.value = some; }, value);
  Offset at;
  ASSIGN(auto partition, write(one.key, record, at));
  std::visit([&](const auto& some) { one.kept.apply(some); }, value);
  if (std::holds_alternative<share::Snapshot>(value)) {
    one.snapshot_at = at;
    one.index = partition->id().value;
  }
  return partition;
}

Result<ShareCoordinator::Partition> ShareCoordinator::initialise(const share::Key& key,
                                                                 share::StateEpoch epoch,
                                                                 Offset start) {
  std::shared_ptr<One> one;
  {
    const std::unique_lock lock(mutex_);
    auto& place = all_[key];
    if (!place) place = std::make_shared<One>(key);
    one = place;
  }
  const std::unique_lock lock(one->mutex);
  const auto when = now();
  share::Snapshot snapshot{one->kept.snapshot_epoch() + 1, epoch, start, -1, when, when, {}};
  if (start != share::kNoStart) snapshot.complete = 0;
  one->live.reset();
  return append(*one, snapshot);
}

Result<ShareCoordinator::Partition> ShareCoordinator::forget(const share::Key& key) {
  std::shared_ptr<One> one;
  {
    const std::unique_lock lock(mutex_);
    const auto found = all_.find(key);
    if (found == all_.end()) return nullptr;
    one = std::move(found->second);
    all_.erase(found);
  }
  const std::unique_lock lock(one->mutex);
  one->live.reset();
  one->forgotten = true;
  wake(*one);
  Offset at;
  return write(key, {key, share::Forgotten{}}, at);
}

ShareCoordinator::Position ShareCoordinator::position(const share::Key& key) {
  const auto one = find(key);
  if (one == nullptr) return {};
  const std::unique_lock lock(one->mutex);
  return {one->kept.start(), one->kept.complete()};
}

std::vector<share::InFlight> ShareCoordinator::in_flight(const share::Key& key) {
  const auto one = find(key);
  if (one == nullptr) return {};
  const std::unique_lock lock(one->mutex);
  return one->live ? one->live->in_flight() : std::vector<share::InFlight>();
}

Result<Offset> ShareCoordinator::first_offset(log::Partition& partition,
                                              const ShareSettings& settings) {
  switch (settings.reset) {
    case ShareSettings::Reset::kEarliest:
      return partition.log_start();
    case ShareSettings::Reset::kByDuration: {
      ASSIGN(const auto found,
             partition.offset_for_time(rt::system_clock().now() - settings.back_ms));
      return found ? found->offset : partition.high_watermark();
    }
    case ShareSettings::Reset::kLatest:
      break;
  }
  return partition.high_watermark();
}

Status ShareCoordinator::load(One& one, log::Partition& partition, const ShareSettings& settings) {
  if (one.forgotten) return error(Code::kNotFound, "the group has it no longer");
  if (!one.live) {
    Offset start;
    if (one.kept.start() == share::kNoStart) {
      ASSIGN(start, first_offset(partition, settings));
    }
    one.live.emplace(one.kept, start);
  }
  one.live->log_starts_at(partition.log_start());
  return {};
}

Result<std::vector<share::ReadBatch>> ShareCoordinator::read(log::Partition& partition, Offset from,
                                                             Offset upto, std::int64_t max_bytes,
                                                             bool committed,
                                                             log::ReadBuffer& buffer) {
  const auto most = static_cast<std::size_t>(std::clamp<std::int64_t>(max_bytes, 0, kReadBytes));
  TRY(partition.read(from, most, buffer, upto));
  std::vector<share::ReadBatch> out;
  auto batches = buffer.batches();
  for (log::BatchView batch; batches.next(batch);) {
    out.push_back({batch.base_offset(), batch.last_offset(), !batch.control()});
  }
  if (!committed || out.empty()) return out;
  ASSIGN(auto aborted, partition.aborted_transactions(from, std::min(out.back().last + 1, upto)));
  log::CommittedFilter filter(std::move(aborted));
  auto again = buffer.batches();
  auto told = out.begin();
  for (log::BatchView batch; again.next(batch); ++told) told->has_records = !filter.hides(batch);
  return out;
}

namespace {

/// The batches up to the one with the last that was acquired.
std::string_view cut(const log::ReadBuffer& buffer, Offset last) {
  std::size_t size = 0;
  auto batches = buffer.batches();
  for (log::BatchView batch; batches.next(batch);) {
    if (batch.base_offset() > last) break;
    size += batch.bytes().size();
  }
  return buffer.bytes().substr(0, size);
}

}  // namespace

ShareCoordinator::Fetched ShareCoordinator::fetch(const share::Key& key, const Partition& partition,
                                                  const FetchTask& task) {
  Fetched out;
  const auto group = settings(key.group);
  const auto one = find(key);
  if (one == nullptr) {
    out.error = not_found(key);
    return out;
  }
  const std::unique_lock lock(one->mutex);
  if (const auto loaded = load(*one, *partition, group); !loaded) {
    out.error = read_error(loaded.error().code);
    return out;
  }
  out.freed = one->freed;
  auto& live = *one->live;
  const auto upto = group.committed ? partition->last_stable_offset() : partition->high_watermark();
  while (live.has_room(group.partition)) {
    const auto from = live.next_fetch();
    if (from >= upto) break;
    const auto batches = read(*partition, from, upto, task.max_bytes, group.committed, out.buffer);
    if (!batches) {
      out.error = read_error(batches.error().code);
      return out;
    }
    const share::AcquireTask acquire{task.member, *batches, task.max_records, task.batch_size,
                                     task.exactly};
    out.acquired = live.acquire(acquire, group.partition, now());
    if (!out.acquired.empty() || live.next_fetch() == from) break;
  }
  if (out.acquired.empty()) return out;
  out.records = cut(out.buffer, out.acquired.back().last);
  for (const share::Acquired& some : out.acquired)
    acquired_.add(static_cast<std::uint64_t>(some.last - some.first + 1));
  // From here on a crash must not begin elsewhere.
  if (one->kept.start() == share::kNoStart) {
    auto first = live.first_update();
    first.snapshot_epoch = one->kept.snapshot_epoch();
    if (const auto kept = append(*one, first); !kept) {
      LOG(warn, "{}: {}", share_key_text(key), kept.error().what);
    }
  }
  schedule(one);
  return out;
}

void ShareCoordinator::wait(const share::Key& key, std::uint64_t freed,
                            const std::shared_ptr<Parking::Parked>& parked) {
  const auto one = find(key);
  if (one == nullptr) return;
  const std::unique_lock lock(one->mutex);
  if (one->freed != freed) return parking_.wake(parked);
  std::erase_if(one->waiting, [](const auto& gone) { return gone.expired(); });
  one->waiting.push_back(parked);
}

void ShareCoordinator::wake(One& one) {
  ++one.freed;
  for (const auto& waiting : std::exchange(one.waiting, {})) {
    if (const auto parked = waiting.lock()) parking_.wake(parked);
  }
}

Result<ShareCoordinator::Partition> ShareCoordinator::keep(One& one, share::Settled& settled) {
  if (!settled.update) return nullptr;
  settled.update->snapshot_epoch = one.kept.snapshot_epoch();
  auto kept = append(one, *settled.update);
  if (!kept) {
    LOG(error, "{}: {}", share_key_text(one.key), kept.error().what);
    one.live.reset();  // it is made again from what was kept
  } else if (one.kept.updates() >= config_.updates) {
    if (const auto written = append(one, one.kept.next_snapshot(now())); !written) return written;
  }
  if (settled.freed) wake(one);
  return kept;
}

void ShareCoordinator::acknowledge(const share::Key& key, const Partition& partition,
                                   const std::string& member,
                                   std::span<const share::Acknowledgement> acknowledgements,
                                   Acknowledged done) {
  const auto group = settings(key.group);
  const auto one = find(key);
  if (one == nullptr) return done(not_found(key), {});
  share::Settled settled;
  Result<Partition> kept = nullptr;
  {
    const std::unique_lock lock(one->mutex);
    if (const auto loaded = load(*one, *partition, group); !loaded) {
      settled.error = read_error(loaded.error().code);
    } else {
      settled = one->live->acknowledge(member, acknowledgements, group.partition, now());
      kept = keep(*one, settled);
    }
  }
  if (!kept) return done(ErrorCode::kCoordinatorNotAvailable, {});
  if (settled.error == ErrorCode::kNone) count(acknowledgements);
  if (*kept == nullptr) return done(settled.error, settled.message);
  committer_.when_durable(std::move(*kept), [done = std::move(done)](const Status& status) mutable {
    done(status ? ErrorCode::kNone : ErrorCode::kCoordinatorNotAvailable, {});
  });
}

void ShareCoordinator::count(std::span<const share::Acknowledgement> acknowledgements) {
  for (const share::Acknowledgement& one : acknowledgements) {
    const bool for_all = one.types.size() == 1;
    const auto each = for_all ? static_cast<std::uint64_t>(one.last - one.first + 1) : 1;
    for (const share::AcknowledgeType type : one.types)
      if (const auto at = static_cast<std::size_t>(type); at < acknowledged_.size())
        acknowledged_[at].add(each);
  }
}

void ShareCoordinator::write_metrics(MetricsText& out) const {
  using share::AcknowledgeType;
  constexpr std::array<std::pair<AcknowledgeType, std::string_view>, 4> kTypes = {
      {{AcknowledgeType::kAccept, "Accept"},
       {AcknowledgeType::kRelease, "Release"},
       {AcknowledgeType::kReject, "Reject"},
       {AcknowledgeType::kRenew, "Renew"}}};
  out.family("kafka_server_sharegroupmetrics_recordacknowledgements_total", MetricType::kCounter,
             "Records that members of share groups acknowledged, by type.");
  for (const auto& [type, name] : kTypes)
    out.add({{"acktype", name}}, acknowledged_[static_cast<std::size_t>(type)].value());
  out.family("tailrace_kafka_share_acquired_records_total", MetricType::kCounter,
             "Records given to members of share groups; one given twice counts twice.");
  out.add({}, acquired_.value());
}

void ShareCoordinator::release(const share::Key& key, const std::string& member) {
  {
    const std::unique_lock lock(mutex_);
    if (stopping_) return;
  }
  const auto group = settings(key.group);
  const auto one = find(key);
  if (one == nullptr) return;
  const std::unique_lock lock(one->mutex);
  if (!one->live) return;
  auto settled = one->live->release(member, group.partition);
  (void)keep(*one, settled);
}

void ShareCoordinator::schedule(const std::shared_ptr<One>& one) {
  if (!one->live) return;
  const auto due = one->live->next_deadline();
  if (!due || *due >= one->scheduled) return;
  one->scheduled = *due;
  const std::unique_lock lock(mutex_);
  deadlines_.emplace(*due, one);
  if (deadlines_.begin()->first == *due) changed_.notify_all();
}

void ShareCoordinator::expire(const std::shared_ptr<One>& one) {
  const auto group = settings(one->key.group);
  const std::unique_lock lock(one->mutex);
  one->scheduled = TimestampMs(INT64_MAX);
  if (!one->live) return;
  auto settled = one->live->expire(group.partition, now());
  (void)keep(*one, settled);
  schedule(one);
}

void ShareCoordinator::tick() {
  auto next_prune = now() + config_.prune_ms;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto when = now();
    std::shared_ptr<One> due;
    if (!deadlines_.empty() && deadlines_.begin()->first <= when) {
      due = deadlines_.begin()->second.lock();
      deadlines_.erase(deadlines_.begin());
      lock.unlock();
      if (due != nullptr) expire(due);
      lock.lock();
      continue;
    }
    if (when >= next_prune) {
      next_prune = when + config_.prune_ms;
      lock.unlock();
      prune();
      lock.lock();
      continue;
    }
    auto until = next_prune;
    if (!deadlines_.empty()) until = std::min(until, deadlines_.begin()->first);
    changed_.wait_for(lock, std::chrono::milliseconds(until - when));
  }
}

std::vector<std::shared_ptr<ShareCoordinator::One>> ShareCoordinator::all() {
  std::vector<std::shared_ptr<One>> out;
  const std::unique_lock lock(mutex_);
  for (const auto& [key, one] : all_) out.push_back(one);
  return out;
}

void ShareCoordinator::renew_snapshots() {
  for (const auto& one : all()) {
    const std::unique_lock lock(one->mutex);
    const auto partition = log_.partition(kShareStateTopic, PartitionId(one->index));
    if (one->forgotten || !partition) continue;
    if ((*partition)->next_offset() - one->snapshot_at <= kHeldBack) continue;
    if (const auto done = append(*one, one->kept.next_snapshot(now())); !done) {
      LOG(warn, "{}: {}", share_key_text(one->key), done.error().what);
    }
  }
}

void ShareCoordinator::prune() {
  if (!log_.topic(kShareStateTopic)) return;
  renew_snapshots();
  // Whoever comes while these are looked at lies behind these ends.
  std::map<std::int32_t, Offset> needed;
  for (std::int32_t i = 0; i < partitions_; ++i) {
    if (offline_.contains(i)) continue;  // nobody knows what is needed of it
    const auto partition = log_.partition(kShareStateTopic, PartitionId(i));
    if (partition) needed.emplace(i, (*partition)->next_offset());
  }
  for (const auto& one : all()) {
    const std::unique_lock lock(one->mutex);
    const auto place = needed.find(one->index);
    if (place == needed.end() || one->forgotten) continue;
    place->second = std::min(place->second, one->snapshot_at);
  }
  for (const auto& [index, from] : needed) {
    const auto partition = log_.partition(kShareStateTopic, PartitionId(index));
    // New snapshots are on disk before what they replace is gone.
    if (!partition || (*partition)->log_start() >= from || !(*partition)->sync()) continue;
    if (const auto done = (*partition)->delete_records(from); !done) {
      LOG(warn, "{}-{}: {}", kShareStateTopic, index, done.error().what);
    }
  }
}

}  // namespace tailrace::kafka
