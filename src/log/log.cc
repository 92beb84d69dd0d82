#include "log/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/log.h"
#include "log/offset_checkpoint.h"
#include "log/partition_log.h"
#include "log/sync_choice.h"
#include "rt/random.h"

namespace tailrace::log {
namespace {

constexpr std::string_view kMetaSuffix = ".meta";
constexpr std::string_view kCleanerCheckpoint = "cleaner-offset-checkpoint";

class LogOnFiles final : public Log, private PartitionOwner {
 public:
  LogOnFiles(std::string folder, LogConfig config, rt::FileSystem& files, rt::Clock& clock)
      : folder_(std::move(folder)),
        config_(config),
        files_(files),
        clock_(clock),
        random_(config.seed != 0 ? config.seed : rt::system_seed()) {}
  ~LogOnFiles() override {
    if (auto closed = close(); !closed) LOG(warn, "closing the log: {}", closed.error().what);
  }

  Status start();
  Status create_topic(std::string_view name, const TopicSettings& settings) override;
  Status ensure_topic(std::string_view name, const TopicSettings& settings) override;
  Status alter_topic(std::string_view name, const TopicSettings& settings) override;
  Status delete_topic(std::string_view name) override;
  std::vector<Topic> topics() const override;
  std::optional<Topic> topic(std::string_view name) const override;
  std::optional<Topic> topic(const TopicId& id) const override;
  std::optional<std::string> topic_name(const TopicId& id) const override;
  Result<std::shared_ptr<Partition>> partition(std::string_view topic, PartitionId id) override;
  std::uint64_t appends() const override;
  bool wait_for_append(std::uint64_t seen, std::chrono::milliseconds timeout) override;
  void listen(AppendListener listener) override;
  Status sync() override;
  std::vector<Status> sync(std::span<const std::shared_ptr<Partition>> partitions) override;
  Result<int> apply_retention(const KeepFrom& keep_from) override;
  Result<std::optional<CleanReport>> clean() override;
  Status close() override;

 private:
  struct Entry {
    Topic topic;
    std::vector<std::shared_ptr<PartitionLog>> partitions;  // nullptr: offline
    std::map<std::int32_t, std::string> offline;            // what to say of those
  };
  /// Whether a partition with damaged files fails what is done, or goes offline alone.
  enum class Damaged { kFails, kGoesOffline };
  Status note_progress() override;
  void on_append(const Partition& partition, std::uint64_t bytes) override;
  Status open_partitions(Entry& entry, const OffsetCheckpoint& points,
                         const OffsetCheckpoint& starts, const OffsetCheckpoint& cleaned,
                         Damaged damaged = Damaged::kFails);
  Status write_topic(const Topic& topic);
  Result<OffsetCheckpoint> checkpoint_of(std::string_view file, std::string_view without,
                                         bool* damaged = nullptr);
  Status check_online(std::string_view topic) const;
  Status delete_offline(std::string_view name);
  void forget_offline(std::string_view name);
  std::string path(std::string_view file) const { return folder_ + "/" + std::string(file); }
  std::vector<std::shared_ptr<PartitionLog>> all() const;
  Status checkpoint(std::span<const std::shared_ptr<PartitionLog>> partitions);

  const std::string folder_;
  const LogConfig config_;
  rt::FileSystem& files_;
  rt::Clock& clock_;
  std::unique_ptr<rt::FileLock> lock_;
  std::unique_ptr<rt::Disk> disk_;  // that the folder is on
  std::mutex change_mutex_;         // one creation, change or deletion of a topic at a time
  std::mutex progress_mutex_;
  bool ever_cleaned_ = false;
  bool cleaned_unknown_ = false;
  mutable std::mutex topics_mutex_;
  std::map<std::string, Entry, std::less<>> topics_;
  std::map<TopicId, std::string> names_;  // of topics_
  /// Topics whose .meta is damaged, and what to say of them.
  std::map<std::string, std::string, std::less<>> offline_;
  OffsetCheckpoint offline_points_;  // what the checkpoint files say of offline partitions
  OffsetCheckpoint offline_starts_;
  OffsetCheckpoint offline_cleaned_;
  rt::Random random_;
  mutable std::mutex appends_mutex_;
  std::condition_variable appended_;
  std::uint64_t appends_ = 0;
  std::mutex sync_mutex_;
  SyncChoice sync_choice_;
  std::shared_mutex listener_mutex_;
  AppendListener listener_;
  bool closed_ = false;
};

/// What `all` says of a topic's partitions, or of one of them.
void keep(OffsetCheckpoint& some, const OffsetCheckpoint& all, const std::string& topic,
          std::optional<PartitionId> partition = {}) {
  for (const auto& [key, offset] : all) {
    if (key.first == topic && (!partition || key.second == *partition)) some[key] = offset;
  }
}

Status LogOnFiles::start() {
  TRY(files_.make_folder(folder_));
  ASSIGN(lock_, files_.lock_folder(folder_));
  ASSIGN(disk_, files_.open_disk(folder_));
  ASSIGN(const auto points, checkpoint_of("recovery-point-offset-checkpoint",
                                          "the last segment of every partition is read anew"));
  ASSIGN(const auto starts,
         checkpoint_of("log-start-offset-checkpoint",
                       "partitions begin with their first segment, deleted records of which come "
                       "back"));
  ASSIGN(const auto cleaned,
         checkpoint_of(kCleanerCheckpoint, "compaction begins from the front", &cleaned_unknown_));
  ASSIGN(const auto names, files_.list(folder_));
  ever_cleaned_ = !cleaned.empty();
  for (const auto& file : names) {
    if (!file.ends_with(kMetaSuffix)) continue;
    const std::string name = file.substr(0, file.size() - kMetaSuffix.size());
    ASSIGN(const auto text, rt::read_whole(files_, path(file), 1 << 20));
    auto topic = decode_topic(name, text);
    if (!topic) {
      const auto why = fmt::format(
          "topic {} is offline: {} is damaged ({}). Its records are kept; "
          "put the file back, or delete the topic",
          name, path(file), topic.error().what);
      LOG_OF(error, log_of("topic", name), "{}", why);
      offline_.emplace(name, why);
      keep(offline_points_, points, name);
      keep(offline_starts_, starts, name);
      keep(offline_cleaned_, cleaned, name);
      continue;
    }
    Entry entry;
    entry.topic = std::move(*topic);
    TRY(open_partitions(entry, points, starts, cleaned, Damaged::kGoesOffline));
    names_.emplace(entry.topic.id, name);
    topics_.emplace(name, std::move(entry));
  }
  return note_progress();
}

/// What a checkpoint file says; nothing when it is damaged, for the log can be read without.
Result<OffsetCheckpoint> LogOnFiles::checkpoint_of(std::string_view file, std::string_view without,
                                                   bool* damaged) {
  auto read = read_checkpoint(files_, path(file));
  if (read || read.error().code != Code::kDataLoss) return read;
  LOG(warn, "{}; {}", read.error().what, without);
  if (damaged != nullptr) *damaged = true;
  return OffsetCheckpoint{};
}

/// A topic that is offline keeps its name: another of that name would take its files away.
Status LogOnFiles::check_online(std::string_view topic) const {
  const std::unique_lock lock(topics_mutex_);
  const auto found = offline_.find(topic);
  if (found == offline_.end()) return {};
  return error(Code::kDataLoss, found->second);
}

Status LogOnFiles::open_partitions(Entry& entry, const OffsetCheckpoint& points,
                                   const OffsetCheckpoint& starts, const OffsetCheckpoint& cleaned,
                                   Damaged damaged) {
  // Where nobody knows how far the cleaner came, offsets may be missing anywhere.
  const Offset uncleaned(cleaned_unknown_ ? 1 : 0);
  const auto at = [](const OffsetCheckpoint& offsets, const std::string& topic, PartitionId id) {
    const auto found = offsets.find({topic, id});
    return found == offsets.end() ? Offset(0) : found->second;
  };
  const auto& name = entry.topic.name;
  for (auto i = static_cast<std::int32_t>(entry.partitions.size());
       i < entry.topic.settings.partitions; ++i) {
    const PartitionId id(i);
    const PartitionStart start{name,
                               id,
                               path(fmt::format("{}-{}", name, i)),
                               entry.topic.settings,
                               at(points, name, id),
                               at(starts, name, id),
                               std::max(at(cleaned, name, id), uncleaned)};
    auto opened =
        PartitionLog::open(start, config_.checkpoint_interval_bytes, files_, clock_, *this);
    if (opened) {
      entry.partitions.push_back(std::move(*opened));
      continue;
    }
    if (opened.error().code != Code::kDataLoss || damaged == Damaged::kFails) {
      return std::unexpected(opened.error());
    }
    const auto why = fmt::format(
        "partition {}-{} is offline: {}. Its records are kept; put the file back, or delete the "
        "topic",
        name, i, opened.error().what);
    LOG_OF(error, log_of("topic", name, "partition", i), "{}", why);
    entry.offline.emplace(i, why);
    entry.partitions.push_back(nullptr);
    keep(offline_points_, points, name, id);
    keep(offline_starts_, starts, name, id);
    keep(offline_cleaned_, cleaned, name, id);
  }
  return {};
}

Status LogOnFiles::write_topic(const Topic& topic) {
  return rt::write_atomically(files_, path(topic.name + std::string(kMetaSuffix)),
                              encode_topic(topic));
}

Status LogOnFiles::create_topic(std::string_view name, const TopicSettings& settings) {
  TRY(check_topic_name(name));
  TRY(check_settings(settings));
  const std::unique_lock change(change_mutex_);
  TRY(check_online(name));
  if (topic(name)) return error(Code::kAlreadyExists, fmt::format("topic {} exists", name));
  Entry entry{{std::string(name), {}, settings}, {}, {}};
  for (auto& byte : entry.topic.id) byte = static_cast<std::uint8_t>(random_.next());
  // A crash in the middle of a deletion may have left files without their topic.
  for (std::int32_t i = 0; i < settings.partitions; ++i) {
    TRY(files_.remove_folder(path(fmt::format("{}-{}", name, i))));
  }
  TRY(open_partitions(entry, {}, {}, {}));
  TRY(files_.sync_folder(folder_));
  TRY(write_topic(entry.topic));
  const std::unique_lock lock(topics_mutex_);
  names_.emplace(entry.topic.id, name);
  topics_.emplace(name, std::move(entry));
  return {};
}

Status LogOnFiles::ensure_topic(std::string_view name, const TopicSettings& settings) {
  auto created = create_topic(name, settings);
  if (!created && created.error().code == Code::kAlreadyExists) return {};
  return created;
}

Status LogOnFiles::alter_topic(std::string_view name, const TopicSettings& settings) {
  TRY(check_settings(settings));
  const std::unique_lock change(change_mutex_);
  Entry entry;
  {
    const std::unique_lock lock(topics_mutex_);
    const auto found = topics_.find(name);
    if (found == topics_.end()) return error(Code::kNotFound, fmt::format("no topic {}", name));
    entry = found->second;
  }
  if (settings.partitions < entry.topic.settings.partitions) {
    return error(Code::kInvalidArgument,
                 fmt::format("topic {} has {} partitions, which may only grow", name,
                             entry.topic.settings.partitions));
  }
  entry.topic.settings = settings;
  TRY(open_partitions(entry, {}, {}, {}));
  TRY(write_topic(entry.topic));
  for (const auto& partition : entry.partitions) {
    if (partition) partition->set_settings(settings);
  }
  const std::unique_lock lock(topics_mutex_);
  topics_.find(name)->second = std::move(entry);
  return {};
}

Status LogOnFiles::delete_topic(std::string_view name) {
  const std::unique_lock change(change_mutex_);
  if (!check_online(name)) return delete_offline(name);
  Entry entry;
  {
    const std::unique_lock lock(topics_mutex_);
    const auto found = topics_.find(name);
    if (found == topics_.end()) return error(Code::kNotFound, fmt::format("no topic {}", name));
    entry = std::move(found->second);
    names_.erase(entry.topic.id);
    topics_.erase(found);
    for (const auto& partition : entry.partitions) {
      if (partition) retired_.add(partition->traffic());
    }
  }
  for (const auto& partition : entry.partitions) {
    if (partition) partition->close();
  }
  forget_offline(name);
  TRY(files_.remove(path(entry.topic.name + std::string(kMetaSuffix))));
  TRY(files_.sync_folder(folder_));
  TRY(note_progress());
  for (std::size_t i = 0; i < entry.partitions.size(); ++i) {
    TRY(files_.remove_folder(path(fmt::format("{}-{}", name, i))));
  }
  return {};
}

Status LogOnFiles::delete_offline(std::string_view name) {
  ASSIGN(const auto names, files_.list(folder_));
  TRY(files_.remove(path(std::string(name) + std::string(kMetaSuffix))));
  TRY(files_.sync_folder(folder_));
  const auto prefix = std::string(name) + "-";
  for (const auto& one : names) {
    const bool number = one.size() > prefix.size() &&
                        one.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (one.starts_with(prefix) && number) TRY(files_.remove_folder(path(one)));
  }
  {
    const std::unique_lock lock(topics_mutex_);
    offline_.erase(std::string(name));
  }
  forget_offline(name);
  return {};
}

void LogOnFiles::forget_offline(std::string_view name) {
  const std::unique_lock lock(progress_mutex_);
  for (auto* kept : {&offline_points_, &offline_starts_, &offline_cleaned_}) {
    std::erase_if(*kept, [&](const auto& one) { return one.first.first == name; });
  }
}

std::vector<Topic> LogOnFiles::topics() const {
  const std::unique_lock lock(topics_mutex_);
  std::vector<Topic> found;
  for (const auto& [name, entry] : topics_) found.push_back(entry.topic);
  return found;
}

std::optional<Topic> LogOnFiles::topic(std::string_view name) const {
  const std::unique_lock lock(topics_mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end()) return std::nullopt;
  return found->second.topic;
}

std::optional<Topic> LogOnFiles::topic(const TopicId& id) const {
  const std::unique_lock lock(topics_mutex_);
  const auto found = names_.find(id);
  if (found == names_.end()) return std::nullopt;
  return topics_.find(found->second)->second.topic;
}

std::optional<std::string> LogOnFiles::topic_name(const TopicId& id) const {
  const std::unique_lock lock(topics_mutex_);
  const auto found = names_.find(id);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

Result<std::shared_ptr<Partition>> LogOnFiles::partition(std::string_view topic, PartitionId id) {
  const std::unique_lock lock(topics_mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) {
    if (const auto gone = offline_.find(topic); gone != offline_.end()) {
      return error(Code::kDataLoss, gone->second);
    }
    return error(Code::kNotFound, fmt::format("no topic {}", topic));
  }
  const auto& partitions = found->second.partitions;
  if (id.value < 0 || static_cast<std::size_t>(id.value) >= partitions.size()) {
    return error(Code::kNotFound, fmt::format("topic {} has no partition {}", topic, id.value));
  }
  if (const auto& here = partitions[static_cast<std::size_t>(id.value)]) return here;
  return error(Code::kDataLoss, found->second.offline.at(id.value));
}

std::vector<std::shared_ptr<PartitionLog>> LogOnFiles::all() const {
  const std::unique_lock lock(topics_mutex_);
  std::vector<std::shared_ptr<PartitionLog>> found;
  for (const auto& [name, entry] : topics_) {
    std::ranges::copy_if(entry.partitions, std::back_inserter(found),
                         [](const auto& partition) { return partition != nullptr; });
  }
  return found;
}

Status LogOnFiles::note_progress() {
  const std::unique_lock lock(progress_mutex_);
  auto points = offline_points_;
  auto starts = offline_starts_;
  auto cleaned = offline_cleaned_;
  for (const auto& partition : all()) {
    const Offset cleaned_to = partition->cleaned_to();
    if (cleaned_to.value > 0) cleaned[{partition->topic(), partition->id()}] = cleaned_to;
    points[{partition->topic(), partition->id()}] = partition->recovery_point();
    starts[{partition->topic(), partition->id()}] = partition->log_start();
  }
  TRY(rt::write_atomically(files_, path("log-start-offset-checkpoint"), encode_checkpoint(starts)));
  if (!cleaned.empty() || ever_cleaned_) {
    TRY(rt::write_atomically(files_, path(kCleanerCheckpoint), encode_checkpoint(cleaned)));
    ever_cleaned_ = true;
  }
  return rt::write_atomically(files_, path("recovery-point-offset-checkpoint"),
                              encode_checkpoint(points));
}

void LogOnFiles::on_append(const Partition& partition, std::uint64_t bytes) {
  {
    const std::unique_lock lock(appends_mutex_);
    ++appends_;
    appended_.notify_all();
  }
  const std::shared_lock lock(listener_mutex_);
  if (listener_) listener_(partition, bytes);
}

void LogOnFiles::listen(AppendListener listener) {
  const std::unique_lock lock(listener_mutex_);
  listener_ = std::move(listener);
}

std::uint64_t LogOnFiles::appends() const {
  const std::unique_lock lock(appends_mutex_);
  return appends_;
}

bool LogOnFiles::wait_for_append(std::uint64_t seen, std::chrono::milliseconds timeout) {
  std::unique_lock lock(appends_mutex_);
  appended_.wait_for(lock, timeout, [&] { return closed_ || appends_ != seen; });
  return appends_ != seen;
}

Status LogOnFiles::sync() {
  for (const auto& partition : all()) TRY(partition->sync());
  return {};
}

std::vector<Status> LogOnFiles::sync(std::span<const std::shared_ptr<Partition>> partitions) {
  const auto begun = clock_.monotonic();
  bool together = false;
  {
    const std::unique_lock lock(sync_mutex_);
    together = sync_choice_.together(partitions.size(), begun);
  }
  std::vector<Status> done;
  if (together) {
    std::vector<Offset> covered;
    for (const auto& partition : partitions) covered.push_back(partition->next_offset());
    const Status synced = disk_->sync();
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      done.push_back(static_cast<PartitionLog&>(*partitions[i]).note_synced(covered[i], synced));
    }
  } else {
    for (const auto& partition : partitions) done.push_back(partition->sync());
  }
  const auto now = clock_.monotonic();
  const std::unique_lock lock(sync_mutex_);
  sync_choice_.took(together, partitions.size(), now - begun, now);
  return done;
}

Result<int> LogOnFiles::apply_retention(const KeepFrom& keep_from) {
  int gone = 0;
  const TimestampMs silent_since = clock_.now() - config_.producer_id_expiration_ms;
  for (const auto& partition : all()) {
    partition->expire_producers(silent_since);
    const Offset keep = keep_from ? keep_from(*partition) : Offset(INT64_MAX);
    ASSIGN(const int here, partition->apply_retention(keep));
    gone += here;
  }
  return gone;
}

Result<std::optional<CleanReport>> LogOnFiles::clean() {
  std::shared_ptr<PartitionLog> dirtiest;
  CleanPlan best;
  for (const auto& partition : all()) {
    const auto plan = partition->plan_clean();
    if (!plan.due || (dirtiest && plan.ratio() <= best.ratio())) continue;
    dirtiest = partition;
    best = plan;
  }
  if (!dirtiest) return std::nullopt;
  ASSIGN(auto report, dirtiest->clean(best, config_.dedupe_buffer_bytes));
  return report;
}

Status LogOnFiles::close() {
  {
    const std::unique_lock lock(appends_mutex_);
    if (closed_) return {};
    closed_ = true;
    appended_.notify_all();
  }
  std::vector<std::shared_ptr<PartitionLog>> dirty;
  for (const auto& partition : all()) {
    partition->close();
    if (partition->next_offset() != partition->recovery_point()) dirty.push_back(partition);
  }
  auto done = checkpoint(dirty);
  lock_.reset();
  return done;
}

/// Files of a few are synced one by one: the file system's others are not waited for.
Status LogOnFiles::checkpoint(std::span<const std::shared_ptr<PartitionLog>> partitions) {
  constexpr std::size_t kFew = 8;
  Status first;
  const auto note = [&](const Status& done) {
    if (!done && first) first = done;
  };
  if (partitions.size() <= kFew) {
    for (const auto& partition : partitions) note(partition->checkpoint());
    return first;
  }
  struct Written {
    std::shared_ptr<PartitionLog> partition;
    bool snapshot;
    Offset before{};
  };
  std::vector<Written> all_written;
  for (const auto& partition : partitions) {
    const auto written = partition->write_checkpoint();
    if (written) all_written.push_back({partition, *written});
    if (!written) note(std::unexpected(written.error()));
  }
  TRY(disk_->sync());
  for (auto& one : all_written) one.before = one.partition->checkpoint_written();
  TRY(note_progress());
  for (const auto& one : all_written) {
    if (one.snapshot) note(one.partition->drop_snapshot(one.before));
  }
  return first;
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(const std::string& folder, LogConfig config,
                                       rt::FileSystem& files, rt::Clock& clock) {
  auto log = std::make_unique<LogOnFiles>(folder, config, files, clock);
  TRY(log->start());
  return log;
}

}  // namespace tailrace::log
