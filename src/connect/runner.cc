#include "connect/runner.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "base/log.h"
#include "connect/spool.h"
#include "telemetry/span.h"

namespace tailrace::connect {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kRetryAfter{1000};
/// Of what is durable chunk by chunk the position is noted so much more seldom: whoever waits for
/// the next sync waits for the note, too, and nothing is emitted again by it.
constexpr int kMoreSeldom = 4;

class Runner final : public SourceRunner {
 public:
  Runner(RunnerConfig config, std::unique_ptr<Source> source, std::unique_ptr<Target> target,
         rt::FileSystem& files, rt::Clock& clock)
      : config_(std::move(config)),
        target_(std::move(target)),
        files_(files),
        clock_(clock),
        source_(std::move(source)) {
    status_.name = config_.name;
    status_.topic = config_.topic;
    status_.describe = source_->describe();
    source_->wake_by([this] { wake(); });
  }
  ~Runner() override { stop(); }

  Status load();
  void start() override;
  void stop() override;
  void pause(bool on) override;
  SourceStatus status() const override;
  Result<nanoseconds> step() override;
  Status note() override { return note_as(false); }

 private:
  std::string spool_path() const { return config_.folder + "/" + config_.name + ".spool"; }
  Status load_ids();
  Status load_spool();
  Status fetch();
  Status write_chunk();
  Status note_as(bool clean);
  Status sync();
  bool note_is_due() const;
  void loop(std::stop_token stop);
  bool wait(std::stop_token stop, nanoseconds time);
  void wake();
  void set_state(SourceState state, std::string why);
  void failed(const std::string& what);
  void count_step(const Target::Written& written);
  void trace_fetch(std::int64_t began_ns);
  telemetry::Span write_span();
  Status make_durable(bool with_position);

  const RunnerConfig config_;
  const std::unique_ptr<Target> target_;
  rt::FileSystem& files_;
  rt::Clock& clock_;
  // The thread's own.
  NotedState state_;  // as far as written; noted when note_as() has returned
  Chunk chunk_;
  bool pending_ = false;           // chunk_ is fetched and not all of it written
  bool spooled_ = false;           // chunk_ is on disk, too
  bool must_note_ = false;         // before the next fetch, however often noting fails
  bool must_sync_ = false;         // or at least that
  bool target_failing_ = false;    // it is the target that an error comes from
  bool keeps_ids_ = false;         // the target does, with its records
  bool opened_ = false;            // this run has noted that it is not clean
  telemetry::Origins fetched_in_;  // spans that chunk_ comes from
  std::int64_t noted_records_ = 0;
  std::string noted_position_;
  nanoseconds noted_at_{0};
  std::stop_token stop_token_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  SourceStatus status_;
  bool paused_ = false;
  bool woken_ = false;                    // the source may have more before its wait is over
  const std::unique_ptr<Source> source_;  // its threads call wake()
  std::jthread thread_;
};

Status Runner::load() {
  TRY(files_.make_folder(config_.folder));
  ASSIGN(state_, target_->load(source_->fingerprint()));
  noted_records_ = state_.records;
  noted_position_ = state_.position;
  noted_at_ = clock_.monotonic();
  status_.records = state_.records + target_->written_since(state_);
  TRY(load_ids());
  return load_spool();
}

Status Runner::load_ids() {
  ASSIGN(const auto ids, target_->ids_since(state_));
  keeps_ids_ = ids.has_value();
  if (!keeps_ids_) return {};
  return source_->written_since(*ids);
}

Status Runner::load_spool() {
  ASSIGN(const bool exists, files_.exists(spool_path()));
  if (!exists) return {};
  ASSIGN(const std::string bytes, rt::read_whole(files_, spool_path()));
  auto step = decode_spool(bytes, chunk_);
  if (!step) return std::unexpected(step.error().in(spool_path()));
  if (*step == SpoolStep{state_.records, state_.position}) {
    pending_ = spooled_ = true;
    for (const telemetry::SpanContext& trace : chunk_.traces()) fetched_in_.add(trace);
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
  if (must_sync_) TRY(sync());
  if (!pending_) TRY(fetch());
  TRY(write_chunk());
  must_note_ = spooled_ || chunk_.note_first;
  must_sync_ = chunk_.sync_first;
  const bool settled = chunk_.idle && noted_records_ != state_.records;
  const bool must_note = must_note_ || settled || note_is_due();
  if (must_note || must_sync_) TRY(make_durable(must_note));
  return chunk_.wait;
}

Status Runner::fetch() {
  chunk_.clear();
  fetched_in_.clear();
  const std::int64_t began_ns = telemetry::on() ? telemetry::now_ns() : 0;
  TRY(source_->next(state_.position, chunk_, stop_token_));
  if (began_ns > 0) trace_fetch(began_ns);
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

Status Runner::write_chunk() {
  target_failing_ = true;
  telemetry::Span span = telemetry::on() ? write_span() : telemetry::Span();
  if (span.recording()) chunk_.trace = span.context();
  const auto written = target_->write(chunk_, state_, stop_token_);
  if (!written) {
    span.fail(written.error().what);
    return std::unexpected(written.error());
  }
  target_failing_ = false;
  pending_ = false;
  count_step(*written);
  return {};
}

// What a request brought has its span already.
void Runner::trace_fetch(std::int64_t began_ns) {
  for (const telemetry::SpanContext& trace : chunk_.traces()) fetched_in_.add(trace);
  if (!chunk_.traces().empty()) return;
  if (chunk_.empty() && chunk_.rejects.empty() && chunk_.error.empty()) return;
  telemetry::Span span = telemetry::begin("fetch " + config_.name, telemetry::SpanKind::kInternal);
  span.begun_at(std::max(began_ns, chunk_.came_ns));
  span.set("tailrace.hop", "fetched." + config_.name);
  span.set("tailrace.records", static_cast<std::int64_t>(chunk_.size()));
  span.set("tailrace.rejected", static_cast<std::int64_t>(chunk_.rejects.size()));
  if (!chunk_.error.empty()) span.fail(chunk_.error);
  if (span.recording()) fetched_in_.add(span.context());
}

telemetry::Span Runner::write_span() {
  if (chunk_.empty()) return {};
  const std::string& table = config_.staged_in;
  telemetry::Span span =
      table.empty()
          ? telemetry::begin_from("send " + config_.topic, telemetry::SpanKind::kProducer,
                                  fetched_in_)
          : telemetry::begin_from("upsert " + table, telemetry::SpanKind::kClient, fetched_in_);
  const auto records = static_cast<std::int64_t>(chunk_.size());
  if (table.empty()) {
    span.set("messaging.system", "kafka");
    span.set("messaging.operation.name", "send");
    span.set("messaging.operation.type", "send");
    span.set("messaging.destination.name", config_.topic);
    span.set("messaging.batch.message_count", records);
    span.set("tailrace.hop", "appended." + config_.topic);
  } else {
    span.set("db.operation.name", "upsert");
    span.set("db.collection.name", table);
    span.set("db.operation.batch.size", records);
    span.set("tailrace.hop", "staged." + table);
  }
  span.set("tailrace.source", config_.name);
  return span;
}

Status Runner::make_durable(bool with_position) {
  telemetry::Span span;
  if (chunk_.trace.valid())
    span = telemetry::begin("sync " + config_.name, telemetry::SpanKind::kInternal, chunk_.trace);
  Status done = with_position ? note_as(false) : sync();
  if (!done) span.fail(done.error().what);
  return done;
}

void Runner::count_step(const Target::Written& written) {
  std::lock_guard lock(mutex_);
  status_.records = std::max(status_.records, state_.records);
  const auto rejects = static_cast<std::int64_t>(chunk_.rejects.size());
  status_.fetched += static_cast<std::int64_t>(chunk_.size()) + rejects - written.misfits;
  status_.fetched_bytes += static_cast<std::int64_t>(chunk_.size_bytes());
  status_.appended += written.appended;
  status_.appended_bytes += written.appended_bytes;
  status_.duplicates += written.duplicates;
  status_.rejected += rejects;
  status_.idle = chunk_.idle || chunk_.finished;
  status_.behind = chunk_.behind;
  status_.failing = !chunk_.error.empty();
  status_.target_failing = false;
  if (!status_.failing) return;
  if (status_.last_error != chunk_.error)
    LOG_OF(warn, log_of("source", config_.name, "topic", config_.topic), "ingest {}: {}",
           config_.name, chunk_.error);
  ++status_.errors;
  status_.last_error = chunk_.error;
  status_.last_error_ms = clock_.now().value;
}

bool Runner::note_is_due() const {
  if (state_.position == noted_position_ && state_.records == noted_records_) return false;
  const int seldom = chunk_.sync_first ? kMoreSeldom : 1;
  return state_.records - noted_records_ >= config_.note_every_records ||
         clock_.monotonic() - noted_at_ >= milliseconds(config_.note_every_ms) * seldom;
}

Status Runner::note_as(bool clean) {
  if (pending_ && clean) clean = false;
  // An id may be remembered when its records are durable, and must be when they are noted.
  if (keeps_ids_) {
    TRY(sync());
    TRY(source_->keep());
  }
  target_failing_ = true;
  TRY(target_->note(state_, clean));
  target_failing_ = false;
  noted_records_ = state_.records;
  noted_position_ = state_.position;
  noted_at_ = clock_.monotonic();
  must_note_ = must_sync_ = false;
  if (spooled_ && !pending_) {
    TRY(files_.remove(spool_path()));
    spooled_ = false;
  }
  source_->noted(noted_position_);
  return {};
}

Status Runner::sync() {
  target_failing_ = true;
  TRY(target_->sync(state_));
  target_failing_ = false;
  must_sync_ = false;
  source_->durable(state_.position);
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
    LOG_OF(warn, log_of("source", config_.name, "topic", config_.topic),
           "ingest {}: its position could not be noted: {}", config_.name, noted.error().what);
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
  if (status_.last_error != what)
    LOG_OF(warn, log_of("source", config_.name, "topic", config_.topic), "ingest {}: {}",
           config_.name, what);
  ++status_.errors;
  status_.failing = true;
  status_.target_failing = target_failing_;
  status_.last_error = what;
  status_.last_error_ms = clock_.now().value;
}

void Runner::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

// Waits out the pause, then `time`; false when it is to stop.
bool Runner::wait(std::stop_token stop, nanoseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, time, [this] { return woken_; });
  woken_ = false;
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
  ASSIGN(auto target, log_target({config.name, config.topic, config.folder, config.encoders,
                                  config.ids_in_records},
                                 log, files, clock));
  return open(std::move(config), std::move(source), std::move(target), files, clock);
}

Result<std::unique_ptr<SourceRunner>> SourceRunner::open(RunnerConfig config,
                                                         std::unique_ptr<Source> source,
                                                         std::unique_ptr<Target> target,
                                                         rt::FileSystem& files, rt::Clock& clock) {
  auto runner = std::make_unique<Runner>(std::move(config), std::move(source), std::move(target),
                                         files, clock);
  TRY(runner->load());
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
