#include "kafka_log/kafka_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/log.h"
#include "kafka_log/client.h"
#include "kafka_log/look.h"
#include "kafka_log/stream.h"
#include "kafka_log/topics.h"
#include "kafka_log/writer.h"

namespace tailrace::kafka_log {
namespace {

constexpr std::chrono::milliseconds kProbeEvery{1000};
constexpr std::chrono::milliseconds kTick{20};
constexpr int kAskMs = 10'000;
/// A smaller read is a look at one place, not the next of many.
constexpr std::size_t kLeastStreamedBytes = 4096;

std::unexpected<Error> not_here(std::string_view what) {
  return error(Code::kUnimplemented,
               fmt::format("{} is Kafka's own business here: ask the cluster", what));
}

/// Says where the appends go and how many there were; what a partition needs of its log.
struct Shared {
  explicit Shared(KafkaLogConfig c) : config(std::move(c)), health(config.url) {}

  const KafkaLogConfig config;
  Health health;
  std::unique_ptr<Client> reader;
  std::unique_ptr<Looker> looker;
  std::unique_ptr<Topics> topics;
  std::unique_ptr<Writer> writer;

  std::mutex mutex;
  std::condition_variable appended;
  std::condition_variable kicked;
  std::uint64_t appends = 0;
  bool kick = false;
  bool closed = false;
};

class KafkaPartition final : public log::Partition {
 public:
  KafkaPartition(Shared& shared, std::string topic, PartitionId id)
      : shared_(shared),
        topic_(std::move(topic)),
        real_topic_(shared.topics->real_name(topic_)),
        id_(id),
        stream_({real_topic_, id}, *shared.reader, shared.config, shared.health, [&shared] {
          const std::lock_guard lock(shared.mutex);
          shared.kick = true;
          shared.kicked.notify_all();
        }) {}

  /// Asks where it begins and ends; tells the end.
  Result<Offset> ask_ends() {
    std::int64_t low = 0, high = 0;
    const auto err = rd_kafka_query_watermark_offsets(shared_.reader->handle(), real_topic_.c_str(),
                                                      id_.value, &low, &high, kAskMs);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const Error why = shared_.health.unavailable(
          fmt::format("{}-{}: {}", real_topic_, id_.value, rd_kafka_err2str(err)));
      return error(why.code, why.what);
    }
    stream_.raise_start(Offset(low));
    stream_.raise_end(Offset(high));
    return Offset(high);
  }
  Stream& stream() { return stream_; }

  const std::string& topic() const override { return topic_; }
  PartitionId id() const override { return id_; }
  Result<log::AppendResult> append(std::span<const log::Record> records,
                                   const log::Producer& producer,
                                   log::Durability durability) override {
    return shared_.writer->append(topic_, id_, records, producer, durability, next_offset());
  }
  Result<log::AppendResult> append_batches(std::string_view, log::Durability,
                                           std::optional<std::uint64_t>) override {
    return not_here("a foreign producer's batch");
  }
  Status sync() override { return shared_.writer->commit(); }
  Status read(Offset offset, std::size_t max_bytes, log::ReadBuffer& buffer, Offset upto) override;
  Offset log_start() const override { return stream_.start(); }
  Offset next_offset() const override { return stream_.end(); }
  Offset high_watermark() const override { return stream_.end(); }
  Offset durable_end() const override { return high_watermark(); }
  Offset last_stable_offset() const override { return high_watermark(); }
  Result<std::vector<log::AbortedTransaction>> aborted_transactions(Offset, Offset) override {
    return std::vector<log::AbortedTransaction>();
  }
  Result<Offset> end_transaction(const log::EndMarker&, log::Durability) override {
    return not_here("a transaction");
  }
  std::vector<log::ProducerState> active_producers() const override { return {}; }
  std::vector<log::ProducerState> open_transactions(TimestampMs) const override { return {}; }
  bool in_transaction(std::int64_t, std::int16_t) const override { return false; }
  std::uint64_t end_markers(std::int64_t) const override { return 0; }
  std::size_t expire_producers(TimestampMs) override { return 0; }
  std::uint64_t size_bytes() const override { return 0; }
  Result<std::optional<log::TimedOffset>> offset_for_time(TimestampMs) override {
    return not_here("an offset by its time");
  }
  Result<std::optional<log::TimedOffset>> offset_of_max_timestamp() override {
    return not_here("an offset by its time");
  }
  bool wait_for(Offset offset, std::chrono::milliseconds timeout) override {
    // next_offset() asks librdkafka, which must not be done under a lock that its callbacks take.
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (next_offset() <= offset && std::chrono::steady_clock::now() < end) {
      std::unique_lock lock(shared_.mutex);
      shared_.appended.wait_for(lock, std::min(timeout, kTick));
      if (shared_.closed) break;
    }
    return next_offset() > offset;
  }
  std::optional<std::int32_t> last_sequence(std::int64_t producer_id) const override {
    return shared_.writer->last_sequence({producer_id, topic_, id_.value});
  }
  Status delete_records(Offset) override { return not_here("deleting records"); }
  Status skip_to(Offset to) override {
    return error(
        Code::kDataLoss,
        fmt::format("{}-{} on {} ends at offset {}, but the tables hold its records up to "
                    "{}: the topic lost records, or was deleted and made again; remove "
                    "the data folder to begin with what Kafka has now",
                    real_topic_, id_.value, shared_.config.url, next_offset().value, to.value - 1));
  }
  Result<int> apply_retention(Offset) override { return 0; }
  Status checkpoint() override { return sync(); }
  log::RecoveryReport recovery() const override { return {}; }

 private:
  Status look(Offset offset, log::ReadBuffer& buffer);

  Shared& shared_;
  const std::string topic_, real_topic_;
  const PartitionId id_;
  Stream stream_;
};

Status KafkaPartition::read(Offset offset, std::size_t max_bytes, log::ReadBuffer& buffer,
                            Offset upto) {
  buffer.assign({});
  if (offset >= upto) return {};
  if (max_bytes < kLeastStreamedBytes) return look(offset, buffer);
  return stream_.read(offset, max_bytes, buffer);
}

Status KafkaPartition::look(Offset offset, log::ReadBuffer& buffer) {
  MessageBatches batches;
  const auto take = [&](const rd_kafka_message_t& message) -> Result<bool> {
    if (message.offset < offset.value) return true;
    TRY(batches.add(message));
    return false;
  };
  TRY(shared_.looker->look(real_topic_, id_, offset, take));
  ASSIGN(const std::string_view bytes, batches.finish());
  buffer.assign(bytes);
  return {};
}

class RemoteLog final : public KafkaLog {
 public:
  explicit RemoteLog(KafkaLogConfig config) : shared_(std::move(config)) {}
  ~RemoteLog() override { (void)close(); }
  Status start();

  Status begin_writing() override { return shared_.writer->open(); }
  Result<Offset> committed_end(std::string_view topic, PartitionId id) override;
  void interrupt() override;
  std::string failing() const override { return shared_.health.failing(); }

  Status create_topic(std::string_view name, const log::TopicSettings& settings) override {
    return shared_.topics->create(name, settings);
  }
  Status ensure_topic(std::string_view name, const log::TopicSettings& settings) override;
  Status alter_topic(std::string_view name, const log::TopicSettings& settings) override {
    return shared_.topics->alter(name, settings);
  }
  Status delete_topic(std::string_view name) override { return shared_.topics->remove(name); }
  std::vector<log::Topic> topics() const override { return shared_.topics->all(); }
  std::optional<log::Topic> topic(std::string_view name) const override {
    return shared_.topics->find(name);
  }
  std::optional<log::Topic> topic(const log::TopicId&) const override { return std::nullopt; }
  std::optional<std::string> topic_name(const log::TopicId&) const override { return std::nullopt; }
  Result<std::shared_ptr<log::Partition>> partition(std::string_view topic,
                                                    PartitionId id) override;
  std::uint64_t appends() const override {
    const std::lock_guard lock(shared_.mutex);
    return shared_.appends;
  }
  bool wait_for_append(std::uint64_t seen, std::chrono::milliseconds timeout) override {
    std::unique_lock lock(shared_.mutex);
    shared_.appended.wait_for(lock, timeout,
                              [&] { return shared_.closed || shared_.appends != seen; });
    return shared_.appends != seen;
  }
  /// Foreign appends are not told one by one: no door stands on a log that is somewhere else.
  void listen(AppendListener) override {}
  Status sync() override { return {}; }
  std::vector<Status> sync(std::span<const std::shared_ptr<log::Partition>> partitions) override {
    return std::vector<Status>(partitions.size(), shared_.writer->commit());
  }
  Result<std::optional<log::CleanReport>> clean() override { return std::nullopt; }
  Result<int> apply_retention(const KeepFrom&) override { return 0; }
  Status close() override;

 private:
  using Key = std::pair<std::string, std::int32_t>;
  std::vector<std::shared_ptr<KafkaPartition>> open_partitions();
  Result<std::shared_ptr<KafkaPartition>> find(std::string_view topic, PartitionId id);
  void on_committed(const std::string& topic, PartitionId id, Offset end);
  void fetch(const std::stop_token& stop);
  void probe(const std::stop_token& stop);

  mutable Shared shared_;
  std::mutex partitions_mutex_;
  std::map<Key, std::shared_ptr<KafkaPartition>> partitions_;
  std::jthread fetcher_, prober_;
};

Status RemoteLog::start() {
  TRY(check_config(shared_.config));
  ASSIGN(auto settings, client_settings(shared_.config, ClientKind::kReader));
  ASSIGN(shared_.reader,
         Client::open(shared_.config, ClientKind::kReader, std::move(settings), shared_.health));
  shared_.looker = std::make_unique<Looker>(shared_.config, shared_.health);
  shared_.topics = std::make_unique<Topics>(shared_.config, *shared_.reader, shared_.health);
  shared_.writer =
      std::make_unique<Writer>(shared_.config, *shared_.topics, *shared_.looker, shared_.health,
                               [this](const std::string& topic, PartitionId id, Offset end) {
                                 on_committed(topic, id, end);
                               });
  TRY(shared_.topics->load(shared_.config.start_patience));
  fetcher_ = std::jthread([this](const std::stop_token& stop) { fetch(stop); });
  prober_ = std::jthread([this](const std::stop_token& stop) { probe(stop); });
  return {};
}

Status RemoteLog::ensure_topic(std::string_view name, const log::TopicSettings& settings) {
  auto made = shared_.topics->create(name, settings);
  if (!made && made.error().code == Code::kAlreadyExists) return {};
  return made;
}

Result<std::shared_ptr<KafkaPartition>> RemoteLog::find(std::string_view topic, PartitionId id) {
  const std::lock_guard lock(partitions_mutex_);
  const auto found = partitions_.find({std::string(topic), id.value});
  if (found != partitions_.end()) return found->second;
  const auto known = shared_.topics->find(topic);
  if (!known)
    return error(Code::kNotFound, fmt::format("no topic {} on {}", topic, shared_.config.url));
  if (id.value < 0 || id.value >= known->settings.partitions)
    return error(Code::kNotFound, fmt::format("topic {} has no partition {}", topic, id.value));
  auto partition = std::make_shared<KafkaPartition>(shared_, std::string(topic), id);
  TRY(partition->ask_ends());
  partitions_[{std::string(topic), id.value}] = partition;
  return partition;
}

Result<std::shared_ptr<log::Partition>> RemoteLog::partition(std::string_view topic,
                                                             PartitionId id) {
  ASSIGN(auto found, find(topic, id));
  return std::shared_ptr<log::Partition>(std::move(found));
}

std::vector<std::shared_ptr<KafkaPartition>> RemoteLog::open_partitions() {
  const std::lock_guard lock(partitions_mutex_);
  std::vector<std::shared_ptr<KafkaPartition>> all;
  for (const auto& [key, partition] : partitions_) all.push_back(partition);
  return all;
}

void RemoteLog::on_committed(const std::string& topic, PartitionId id, Offset end) {
  auto partition = find(topic, id);
  if (!partition) return;
  if (end > Offset(0))
    (*partition)->stream().raise_end(end);
  else
    (void)(*partition)->ask_ends();
}

Result<Offset> RemoteLog::committed_end(std::string_view topic, PartitionId id) {
  ASSIGN(const auto partition, find(topic, id));
  return partition->ask_ends();
}

void RemoteLog::interrupt() {
  for (const auto& partition : open_partitions()) partition->stream().interrupt();
}

// One thread turns what all partitions have fetched into batches.
void RemoteLog::fetch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool any = false;
    for (const auto& partition : open_partitions()) any = partition->stream().pump() || any;
    std::unique_lock lock(shared_.mutex);
    if (any) {
      ++shared_.appends;
      shared_.appended.notify_all();
      continue;
    }
    shared_.kicked.wait_for(lock, kProbeEvery, [&] { return shared_.kick || shared_.closed; });
    shared_.kick = false;
  }
}

// While no broker was reached, somebody has to ask; else news of its return would wait for records.
void RemoteLog::probe(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any idle;
  std::unique_lock lock(mutex);
  while (!idle.wait_for(lock, stop, kProbeEvery, [&] { return stop.stop_requested(); })) {
    if (shared_.health.failing().empty()) continue;
    const rd_kafka_metadata_t* found = nullptr;
    if (rd_kafka_metadata(shared_.reader->handle(), 0, nullptr, &found, 1000) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
      continue;
    rd_kafka_metadata_destroy(found);
    shared_.health.answered();
  }
}

Status RemoteLog::close() {
  {
    const std::lock_guard lock(shared_.mutex);
    if (shared_.closed) return {};
    shared_.closed = true;
    shared_.appended.notify_all();
    shared_.kicked.notify_all();
  }
  interrupt();
  if (shared_.writer) shared_.writer->close();
  prober_ = {};
  fetcher_ = {};
  return {};
}

}  // namespace

Result<std::unique_ptr<KafkaLog>> KafkaLog::open(KafkaLogConfig config) {
  auto log = std::make_unique<RemoteLog>(std::move(config));
  TRY(log->start());
  return log;
}

}  // namespace tailrace::kafka_log
