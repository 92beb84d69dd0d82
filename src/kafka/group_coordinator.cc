#include "kafka/group_coordinator.h"

#include <fmt/format.h>

#include <variant>

#include "base/log.h"
#include "kafka/group_records.h"
#include "rt/clock.h"
#include "rt/random.h"

namespace tailrace::kafka {
namespace {

constexpr std::size_t kReplayBytes = 1 << 20;
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

void call_all(const std::vector<std::function<void()>>& calls) {
  for (const auto& call : calls) call();
}

/// The UTF-16 code units of UTF-8 text, which Java's hash goes over.
template <typename Unit>
void each_utf16_unit(std::string_view text, Unit unit) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    std::uint32_t code = more == 0 ? lead : lead & (0x3fU >> more);
    for (std::size_t j = 1; j <= more && i + j < text.size(); ++j) {
      code = (code << 6) | (static_cast<std::uint8_t>(text[i + j]) & 0x3f);
    }
    i += 1 + more;
    if (code >= 0x10000) {
      unit(0xd800 + ((code - 0x10000) >> 10));
      unit(0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
      unit(code);
    }
  }
}

}  // namespace

std::int32_t partition_of_group(std::string_view group, std::int32_t partitions) {
  std::uint32_t hash = 0;
  each_utf16_unit(group, [&](std::uint32_t unit) { hash = 31 * hash + unit; });
  return static_cast<std::int32_t>(hash & 0x7fffffff) % partitions;
}

GroupCoordinator::GroupCoordinator(log::Log& log, Committer& committer, Config config)
    : log_(log),
      committer_(committer),
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
  last_now_ = std::max(last_now_, rt::system_clock().now());
  return last_now_;
}

Status GroupCoordinator::replay() {
  groups_ = fresh();
  if (const auto topic = log_.topic(kOffsetsTopic)) {
    partitions_ = topic->settings.partitions;
    for (std::int32_t i = 0; i < topic->settings.partitions; ++i) {
      ASSIGN(const auto partition, log_.partition(kOffsetsTopic, PartitionId(i)));
      TRY(replay(*partition));
    }
  }
  for (const auto& topic : log_.topics()) {
    groups_.step({{}, groups::TopicChanged{topic.name, topic_of(topic)}}, now());
  }
  for (const auto& [group, settings] : settings_) groups_.step({{}, settings}, now());
  groups_.start(now());
  return {};
}

Status GroupCoordinator::replay(log::Partition& partition) {
  log::ReadBuffer buffer;
  std::string plain;
  for (Offset at = partition.log_start(); at < partition.next_offset();) {
    TRY(partition.read(at, kReplayBytes, buffer));
    auto batches = buffer.batches();
    for (log::BatchView batch; batches.next(batch); at = batch.next_offset()) {
      if (batch.control()) continue;
      ASSIGN(auto records, batch.records(plain));
      for (log::RecordView record; records.next(record);) {
        if (!record.key) continue;
        auto decoded = decode_group_record(*record.key, record.value);
        if (!decoded) {
          return std::unexpected(decoded.error().in(
              fmt::format("{}-{}@{}", kOffsetsTopic, partition.id().value, record.offset.value)));
        }
        if (*decoded) groups_.replay(**decoded, std::nullopt);
      }
      TRY(records.status());
    }
  }
  return {};
}

Status GroupCoordinator::ensure_topic() {
  if (log_.topic(kOffsetsTopic)) return {};
  log::TopicSettings settings;
  settings.partitions = config_.partitions;
  settings.segment_bytes = kSegmentBytes;
  settings.extra["cleanup.policy"] = "compact";
  return log_.ensure_topic(kOffsetsTopic, settings);
}

void GroupCoordinator::ask(groups::Happening what, Done done) {
  std::vector<std::function<void()>> calls;
  {
    const std::unique_lock lock(mutex_);
    if (stopping_) return;
    const groups::RequestId id(++last_request_);
    waiting_.emplace(id, std::move(done));
    calls = perform(groups_.step({id, std::move(what)}, now()));
    changed_.notify_all();
  }
  call_all(calls);
}

void GroupCoordinator::tell(groups::Happening what) {
  std::vector<std::function<void()>> calls;
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
    const auto calls = perform(groups_.step({{}, groups::Tick{}}, now()));
    lock.unlock();
    call_all(calls);
    lock.lock();
  }
}

std::vector<std::function<void()>> GroupCoordinator::perform(groups::Actions actions) {
  auto step = std::make_shared<Step>();
  Records records;
  for (auto& action : actions) {
    if (auto* append = std::get_if<groups::Append>(&action)) {
      const auto partition = partition_of_group(group_of(append->record), partitions_);
      records[partition].push_back(std::move(append->record));
    } else if (auto* reply = std::get_if<groups::Reply>(&action)) {
      auto waiting = waiting_.extract(reply->request);
      if (!waiting.empty()) {
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
      committer_.when_durable(partition,
                              [this, step](const Status& status) { synced(step, status); });
    }
  }
  return flush();
}

Result<std::vector<std::shared_ptr<log::Partition>>> GroupCoordinator::append(
    const Records& records) {
  TRY(ensure_topic());
  std::vector<std::shared_ptr<log::Partition>> appended;
  for (const auto& [index, members] : records) {
    ASSIGN(auto partition, log_.partition(kOffsetsTopic, PartitionId(index)));
    std::deque<RecordBytes> bytes;
    std::vector<log::Record> batch;
    for (const auto& member : members) {
      ASSIGN(auto encoded, encode_group_record(member));
      bytes.push_back(std::move(encoded));
      log::Record record;
      record.key = bytes.back().key;
      if (bytes.back().value) record.value = *bytes.back().value;
      batch.push_back(record);
    }
    TRY(partition->append(batch, {}, log::Durability::kNoSync));
    appended.push_back(std::move(partition));
  }
  return appended;
}

void GroupCoordinator::synced(const std::shared_ptr<Step>& step, const Status& status) {
  std::vector<std::function<void()>> calls;
  {
    const std::unique_lock lock(mutex_);
    --step->syncs;
    if (!status) step->synced = status;
    calls = flush();
  }
  call_all(calls);
}

std::vector<std::function<void()>> GroupCoordinator::flush() {
  std::vector<std::function<void()>> calls;
  while (!steps_.empty() && steps_.front()->syncs == 0) {
    const auto step = std::move(steps_.front());
    steps_.pop_front();
    for (auto& answered : step->answers) {
      Result<groups::Answer> answer = std::move(answered.answer);
      if (!step->synced) answer = std::unexpected(step->synced.error());
      calls.push_back(
          [done = std::move(answered.done), answer = std::move(answer)] { done(answer); });
    }
  }
  return calls;
}

std::vector<std::function<void()>> GroupCoordinator::fail(const Error& why) {
  LOG(error, "{}: {}; the groups are read again from it", kOffsetsTopic, why.what);
  std::vector<std::function<void()>> calls;
  const auto tell = [&](Done done) {
    calls.push_back([done = std::move(done), why] { done(std::unexpected(why)); });
  };
  for (const auto& step : steps_) {
    for (auto& answered : step->answers) tell(std::move(answered.done));
    step->answers.clear();
  }
  for (auto& [id, done] : waiting_) tell(std::move(done));
  waiting_.clear();
  if (auto replayed = replay(); !replayed) {
    LOG(error, "the groups could not be read: {}", replayed.error().what);
  }
  return calls;
}

}  // namespace tailrace::kafka
