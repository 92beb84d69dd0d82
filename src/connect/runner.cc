#include "connect/runner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "base/log.h"
#include "connect/noted_state.h"
#include "connect/rejects.h"
#include "connect/spool.h"

namespace tailrace::connect {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// Blocks of so many records without a key go to one partition, so that batches are not too small.
constexpr std::int64_t kStickyRecords = 16;
constexpr milliseconds kRetryAfter{1000};

/// FNV-1a with a high bit set: stable for a name, and far from the ids that a broker hands out from
/// 0.
std::int64_t producer_id(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : name) hash = (hash ^ c) * 0x100000001b3;
  return static_cast<std::int64_t>((hash >> 2) | (1ULL << 61));
}

std::int64_t sequence_after(const log::Partition& partition, std::int64_t producer) {
  const auto last = partition.last_sequence(producer);
  return last ? std::int64_t{*last} + 1 : 0;
}

class Runner final : public SourceRunner {
 public:
  Runner(RunnerConfig config, std::unique_ptr<Source> source, rt::FileSystem& files,
         rt::Clock& clock)
      : config_(std::move(config)), source_(std::move(source)), files_(files), clock_(clock) {
    status_.name = config_.name;
    status_.topic = config_.topic;
    status_.describe = source_->describe();
  }
  ~Runner() override { stop(); }

  Status load(log::Log& log);
  void start() override;
  void stop() override;
  void pause(bool on) override;
  SourceStatus status() const override;
  Result<nanoseconds> step() override;
  Status note() override { return note_as(false); }

 private:
  std::string state_path() const { return config_.folder + "/" + config_.name + ".json"; }
  std::string spool_path() const { return config_.folder + "/" + config_.name + ".spool"; }
  Status open_partitions(log::Log& log);
  Status load_state();
  Status load_spool();
  void take_sequences_from_log();
  void take_lost_sequences_from_log();
  Status fetch();
  Status append_chunk();
  Status append_records();
  Status append_rejects();
  void sort_records();
  void encode_records();
  Status open_encoder();
  Status note_as(bool clean);
  bool note_is_due() const;
  void loop(std::stop_token stop);
  bool wait(std::stop_token stop, nanoseconds time);
  void set_state(SourceState state, std::string why);
  void failed(const std::string& what);
  void count_step();

  const RunnerConfig config_;
  const std::unique_ptr<Source> source_;
  rt::FileSystem& files_;
  rt::Clock& clock_;
  std::vector<std::shared_ptr<log::Partition>> partitions_;
  std::shared_ptr<log::Partition> rejects_;
  std::int64_t max_message_bytes_ = 0;

  // The thread's own.
  NotedState state_;  // as far as appended; noted when note_as() has returned
  Chunk chunk_;
  bool pending_ = false;    // chunk_ is fetched and not all of it appended
  bool spooled_ = false;    // chunk_ is on disk, too
  bool must_note_ = false;  // before the next fetch, however often noting fails
  bool opened_ = false;     // this run has noted that it is not clean
  std::int64_t noted_records_ = 0;
  std::string noted_position_;
  nanoseconds noted_at_{0};
  std::vector<std::vector<log::Record>> sorted_;
  std::unique_ptr<RecordEncoder> encoder_;  // null: records stay as they are
  std::string encoded_;                     // the chunk's, end to end
  std::vector<std::size_t> encoded_ends_;
  std::vector<bool> misfits_;
  std::size_t left_out_told_ = 0;
  std::stop_token stop_token_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  SourceStatus status_;
  bool paused_ = false;
  std::jthread thread_;
};

Status Runner::open_partitions(log::Log& log) {
  const auto topic = log.topic(config_.topic);
  if (!topic) return error(Code::kNotFound, fmt::format("topic {} is not there", config_.topic));
  for (std::int32_t i = 0; i < topic->settings.partitions; ++i) {
    ASSIGN(auto partition, log.partition(config_.topic, PartitionId(i)));
    partitions_.push_back(std::move(partition));
  }
  max_message_bytes_ = topic->settings.max_message_bytes;
  TRY(log.ensure_topic(kRejectedTopic, rejected_topic_settings()));
  ASSIGN(rejects_, log.partition(kRejectedTopic, PartitionId(0)));
  return {};
}

Status Runner::load(log::Log& log) {
  TRY(files_.make_folder(config_.folder));
  TRY(open_partitions(log));
  TRY(load_state());
  noted_records_ = state_.records;
  noted_position_ = state_.position;
  noted_at_ = clock_.monotonic();
  status_.records = state_.records;
  return load_spool();
}

Status Runner::load_state() {
  ASSIGN(const bool exists, files_.exists(state_path()));
  if (exists) {
    ASSIGN(const std::string text, rt::read_whole(files_, state_path(), 64 << 20));
    auto state = decode_state(text);
    if (!state) return std::unexpected(state.error().in(state_path()));
    state_ = std::move(*state);
  }
  if (!exists || state_.fingerprint != source_->fingerprint()) {
    if (exists) LOG(info, "ingest {}: its settings changed; it begins again", config_.name);
    const std::int64_t records = state_.records;
    state_ = {};
    state_.fingerprint = source_->fingerprint();
    state_.records = records;
    state_.clean = true;
    state_.sequences.resize(partitions_.size());
    take_sequences_from_log();
  }
  // What was emitted and not noted must be emitted to the same partitions under the same limit.
  if (state_.sequences.empty() || state_.sequences.size() > partitions_.size())
    return error(Code::kDataLoss,
                 fmt::format("{} speaks of {} partitions, topic {} has {}", state_path(),
                             state_.sequences.size(), config_.topic, partitions_.size()));
  take_lost_sequences_from_log();
  if (state_.clean) {
    for (std::size_t i = state_.sequences.size(); i < partitions_.size(); ++i)
      state_.sequences.push_back(sequence_after(*partitions_[i], producer_id(config_.name)));
    state_.max_message_bytes = max_message_bytes_;
    state_.schema_id = config_.encoders.present;
  }
  return open_encoder();
}

// What was emitted and not noted must be emitted by the same schema: which records fit it decides
// which sequences they get.
Status Runner::open_encoder() {
  if (state_.schema_id == 0) return {};
  ASSIGN(const auto schema, config_.encoders.schema(state_.schema_id));
  ASSIGN(encoder_, make_encoder(schema));
  if (state_.schema_id != config_.encoders.present)
    LOG(info, "ingest {}: it goes on with {} until it has been stopped and started again",
        config_.name, encoder_->describe());
  return {};
}

void Runner::take_sequences_from_log() {
  for (std::size_t i = 0; i < state_.sequences.size(); ++i)
    state_.sequences[i] = sequence_after(*partitions_[i], producer_id(config_.name));
  state_.reject_sequence = sequence_after(*rejects_, producer_id(config_.name + "\nrejects"));
}

// Records that were noted as durable may be gone all the same, when the log lost a damaged tail and
// said so. What follows must not be taken for a gap.
void Runner::take_lost_sequences_from_log() {
  const auto catch_up = [](const log::Partition& partition, std::int64_t producer,
                           std::int64_t& noted) {
    const std::int64_t held = sequence_after(partition, producer);
    if (log::sequence_ahead(noted, held) > 0) noted = held;
  };
  for (std::size_t i = 0; i < state_.sequences.size(); ++i)
    catch_up(*partitions_[i], producer_id(config_.name), state_.sequences[i]);
  catch_up(*rejects_, producer_id(config_.name + "\nrejects"), state_.reject_sequence);
}

Status Runner::load_spool() {
  ASSIGN(const bool exists, files_.exists(spool_path()));
  if (!exists) return {};
  ASSIGN(const std::string bytes, rt::read_whole(files_, spool_path()));
  auto step = decode_spool(bytes, chunk_);
  if (!step) return std::unexpected(step.error().in(spool_path()));
  if (*step == SpoolStep{state_.records, state_.position}) {
    pending_ = spooled_ = true;
    return {};
  }
  chunk_.clear();
  return files_.remove(spool_path());
}

Result<nanoseconds> Runner::step() {
  if (!opened_) {
    TRY(note_as(false));
    opened_ = true;
  }
  if (must_note_) TRY(note_as(false));
  if (!pending_) TRY(fetch());
  TRY(append_chunk());
  must_note_ = spooled_ || chunk_.note_first;
  const bool settled = chunk_.idle && noted_records_ != state_.records;
  if (must_note_ || settled || note_is_due()) TRY(note_as(false));
  return chunk_.wait;
}

Status Runner::fetch() {
  chunk_.clear();
  TRY(source_->next(state_.position, chunk_, stop_token_));
  const bool once = chunk_.once || !source_->replayable();
  if (once && (!chunk_.empty() || !chunk_.rejects.empty())) {
    // The spool belongs to what is noted.
    if (state_.records != noted_records_ || state_.position != noted_position_) TRY(note_as(false));
    const SpoolStep step{state_.records, state_.position};
    TRY(rt::write_atomically(files_, spool_path(), encode_spool(step, chunk_)));
    spooled_ = true;
  }
  pending_ = true;
  return {};
}

Status Runner::append_chunk() {
  if (chunk_.restart_sequences) {
    take_sequences_from_log();
    chunk_.restart_sequences = false;
  }
  sort_records();
  TRY(append_records());
  TRY(append_rejects());
  for (std::size_t i = 0; i < sorted_.size(); ++i)
    state_.sequences[i] += static_cast<std::int64_t>(sorted_[i].size());
  state_.reject_sequence += static_cast<std::int64_t>(chunk_.rejects.size());
  state_.records += static_cast<std::int64_t>(chunk_.size());
  state_.position = chunk_.position;
  pending_ = false;
  count_step();
  return {};
}

// Deals the chunk's records to partitions. One that is too large becomes a reject, and leaves an
// empty place: calling it again after a failed append must deal alike, so the decision is taken
// from the chunk alone.
void Runner::encode_records() {
  encoded_.clear();
  encoded_ends_.clear();
  misfits_.assign(chunk_.size(), false);
  for (std::size_t i = 0; i < chunk_.size(); ++i) {
    if (!chunk_.entry(i).has_value) {
      encoded_ends_.push_back(encoded_.size());
      continue;
    }
    if (auto encoded = encoder_->encode(chunk_.value(i), encoded_); !encoded) {
      misfits_[i] = true;
      chunk_.rejects.push_back(
          {std::string(kMisfit),
           fmt::format("it does not fit {}: {}", encoder_->describe(), encoded.error().what),
           chunk_.origin(i), std::string(chunk_.value(i))});
    }
    encoded_ends_.push_back(encoded_.size());
  }
  const auto& left_out = encoder_->left_out();
  if (left_out.size() == left_out_told_) return;
  left_out_told_ = left_out.size();
  LOG(warn, "ingest {}: {} is not in {}, and is left out of its records", config_.name,
      fmt::join(left_out, ", "), encoder_->describe());
}

void Runner::sort_records() {
  sorted_.assign(state_.sequences.size(), {});
  const auto partitions = static_cast<std::int32_t>(sorted_.size());
  std::erase_if(chunk_.rejects, [](const Reject& reject) {
    return reject.reason == kOversized || reject.reason == kMisfit;
  });
  if (encoder_) encode_records();
  for (std::size_t i = 0; i < chunk_.size(); ++i) {
    if (encoder_ && misfits_[i]) continue;
    const auto key = chunk_.key(i);
    const std::size_t begin = i == 0 || !encoder_ ? 0 : encoded_ends_[i - 1];
    const std::string_view value =
        encoder_ ? std::string_view(encoded_).substr(begin, encoded_ends_[i] - begin)
                 : chunk_.value(i);
    log::Record record{key, value, TimestampMs(chunk_.entry(i).timestamp_ms), {}};
    if (!chunk_.entry(i).has_value) record.value.reset();
    const auto most = log::kBatchHeaderBytes + log::RecordBatchBuilder::max_bytes(record);
    if (static_cast<std::int64_t>(most) > state_.max_message_bytes) {
      chunk_.rejects.push_back(
          {std::string(kOversized),
           fmt::format("{} bytes, max.message.bytes is {}", value.size(), state_.max_message_bytes),
           chunk_.origin(i), std::string(chunk_.value(i))});
      continue;
    }
    const std::int64_t number = state_.records + static_cast<std::int64_t>(i);
    const std::int32_t to = key ? partition_of_key(*key, partitions)
                                : static_cast<std::int32_t>(number / kStickyRecords % partitions);
    sorted_[to].push_back(record);
  }
}

Status Runner::append_records() {
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
    if (sorted_[i].empty()) continue;
    const log::Producer producer{producer_id(config_.name), 0, state_.sequences[i]};
    ASSIGN(const auto result,
           partitions_[i]->append(sorted_[i], producer, log::Durability::kNoSync));
    std::lock_guard lock(mutex_);
    status_.appended += result.appended;
    status_.duplicates += result.duplicates;
  }
  return {};
}

Status Runner::append_rejects() {
  if (chunk_.rejects.empty()) return {};
  std::vector<std::string> texts;
  for (const Reject& reject : chunk_.rejects)
    texts.push_back(encode_reject(config_.name, config_.topic, reject, clock_.now()));
  std::vector<log::Record> records;
  for (const std::string& text : texts)
    records.push_back({config_.name, text, TimestampMs(-1), {}});
  const log::Producer producer{producer_id(config_.name + "\nrejects"), 0, state_.reject_sequence};
  TRY(rejects_->append(records, producer, log::Durability::kNoSync));
  return {};
}

void Runner::count_step() {
  std::lock_guard lock(mutex_);
  status_.records = state_.records;
  status_.fetched += static_cast<std::int64_t>(chunk_.size());
  status_.fetched_bytes += static_cast<std::int64_t>(chunk_.size_bytes());
  for (const auto& records : sorted_)
    for (const log::Record& record : records)
      status_.appended_bytes += static_cast<std::int64_t>(record.value.value_or("").size());
  status_.rejected += static_cast<std::int64_t>(chunk_.rejects.size());
  for (const Reject& reject : chunk_.rejects)
    if (reject.reason != kOversized && reject.reason != kMisfit) ++status_.fetched;
  status_.idle = chunk_.idle || chunk_.finished;
  status_.failing = !chunk_.error.empty();
  if (!status_.failing) return;
  if (status_.last_error != chunk_.error) LOG(warn, "ingest {}: {}", config_.name, chunk_.error);
  ++status_.errors;
  status_.last_error = chunk_.error;
  status_.last_error_ms = clock_.now().value;
}

bool Runner::note_is_due() const {
  if (state_.position == noted_position_ && state_.records == noted_records_) return false;
  return state_.records - noted_records_ >= config_.note_every_records ||
         clock_.monotonic() - noted_at_ >= milliseconds(config_.note_every_ms);
}

Status Runner::note_as(bool clean) {
  if (pending_ && clean) clean = false;
  if (opened_) {
    for (auto& partition : partitions_) TRY(partition->sync());
    TRY(rejects_->sync());
  }
  state_.clean = clean;
  TRY(rt::write_atomically(files_, state_path(), encode_state(state_)));
  noted_records_ = state_.records;
  noted_position_ = state_.position;
  noted_at_ = clock_.monotonic();
  must_note_ = false;
  if (spooled_ && !pending_) {
    TRY(files_.remove(spool_path()));
    spooled_ = false;
  }
  source_->noted(noted_position_);
  return {};
}

void Runner::start() {
  CHECK(!thread_.joinable());
  thread_ = std::jthread([this](std::stop_token stop) { loop(std::move(stop)); });
}

void Runner::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  changed_.notify_all();
  thread_.join();
  thread_ = {};
  stop_token_ = {};
  if (status().state == SourceState::kFailed) return;
  if (auto noted = note_as(true); !noted)
    LOG(warn, "ingest {}: its position could not be noted: {}", config_.name, noted.error().what);
  set_state(SourceState::kStopped, "");
}

void Runner::pause(bool on) {
  std::lock_guard lock(mutex_);
  paused_ = on;
  changed_.notify_all();
}

SourceStatus Runner::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void Runner::set_state(SourceState state, std::string why) {
  std::lock_guard lock(mutex_);
  status_.state = state;
  status_.why = std::move(why);
}

void Runner::failed(const std::string& what) {
  std::lock_guard lock(mutex_);
  if (status_.last_error != what) LOG(warn, "ingest {}: {}", config_.name, what);
  ++status_.errors;
  status_.failing = true;
  status_.last_error = what;
  status_.last_error_ms = clock_.now().value;
}

// Waits out the pause, then `time`; false when it is to stop.
bool Runner::wait(std::stop_token stop, nanoseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, time, [] { return false; });
  if (paused_ && !stop.stop_requested()) {
    status_.state = SourceState::kPaused;
    status_.why = "the pipeline is behind";
    changed_.wait(lock, stop, [this] { return !paused_; });
  }
  return !stop.stop_requested();
}

void Runner::loop(std::stop_token stop) {
  stop_token_ = stop;
  nanoseconds time{0};
  while (wait(stop, time)) {
    set_state(SourceState::kRunning, time.count() > 0 ? "" : chunk_.why);
    auto stepped = step();
    if (stop.stop_requested()) return;
    if (stepped) {
      time = *stepped;
      if (chunk_.finished) return set_state(SourceState::kFinished, chunk_.why);
      if (time.count() > 0) set_state(SourceState::kWaiting, chunk_.why);
      continue;
    }
    const Error& why = stepped.error();
    failed(why.what);
    const bool passes = why.code == Code::kResourceExhausted || why.code == Code::kUnavailable;
    if (!passes) return set_state(SourceState::kFailed, why.what);
    set_state(SourceState::kWaiting, fmt::format("tries again in 1 s: {}", why.what));
    time = kRetryAfter;
  }
}

}  // namespace

Result<std::unique_ptr<SourceRunner>> SourceRunner::open(RunnerConfig config,
                                                         std::unique_ptr<Source> source,
                                                         log::Log& log, rt::FileSystem& files,
                                                         rt::Clock& clock) {
  auto runner = std::make_unique<Runner>(std::move(config), std::move(source), files, clock);
  TRY(runner->load(log));
  return runner;
}

std::string_view source_state_name(SourceState state) {
  switch (state) {
    case SourceState::kStarting:
      return "starting";
    case SourceState::kRunning:
      return "running";
    case SourceState::kWaiting:
      return "waiting";
    case SourceState::kPaused:
      return "paused";
    case SourceState::kFinished:
      return "finished";
    case SourceState::kFailed:
      return "failed";
    case SourceState::kStopped:
      return "stopped";
  }
  return "?";
}

}  // namespace tailrace::connect
