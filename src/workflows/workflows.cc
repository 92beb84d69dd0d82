// The scheduler's thread, and what it starts.
#include "workflows/workflows.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "base/log.h"
#include "tasks/process.h"
#include "workflows/asset_sources.h"
#include "workflows/attempt.h"
#include "workflows/dag_files.h"
#include "workflows/metrics.h"
#include "workflows/params.h"
#include "workflows/reading.h"
#include "workflows/run_callbacks.h"
#include "workflows/task_threads.h"
#include "workflows/try_log.h"

namespace tailrace::workflows {
namespace {

using namespace std::chrono_literals;
using sched::Micros;

constexpr auto kRetryKeeping = 1s;
/// Of a topic's records, kept by one write.
constexpr std::size_t kMostEventsAtOnce = 256;

metadata::Place metadata_place(const Options& options) {
  metadata::Place place = options.metadata;
  if (place.url.empty()) place.url = "sqlite://" + options.data + "/dags/workflows.db";
  return place;
}

}  // namespace

class Workflows::Impl final : public AssetSink {
 public:
  Impl(Options options, std::unique_ptr<metadata::Metadata> kept, tasks::ProjectAccess& project,
       rt::Clock& clock)
      : options_(std::move(options)),
        metadata_(std::move(kept)),
        clock_(clock),
        scheduler_(options_.scheduler),
        logs_(options_.data + "/dags/logs", clock),
        workshop_{.folder = options_.folder,
                  .dags_folder = options_.folder + "/dags",
                  .mark = std::filesystem::weakly_canonical(options_.data).string(),
                  .python = options_.python,
                  .limits = options_.limits,
                  .metadata = *metadata_,
                  .project = project,
                  .clock = clock,
                  .connections = options_.connections,
                  .variables = options_.variables,
                  .trigger = [this](sched::Trigger wanted) { return trigger(std::move(wanted)); }},
        callbacks_(workshop_, logs_, [this](const std::string& id) { return find_dag(id); }),
        threads_(static_cast<std::size_t>(
            options_.tries_at_once > 0 ? options_.tries_at_once : options_.scheduler.parallelism)) {
  }

  ~Impl() override { stop(0ms); }

  Status recover(std::vector<std::shared_ptr<const dags::Dag>> dags) {
    const int killed = tasks::kill_left_behind(tasks::kTaskMark, workshop_.mark);
    if (killed > 0) LOG(warn, "{} process(es) of tasks were left behind and are killed", killed);
    ASSIGN(auto rows, metadata_->load());
    for (const sched::Change& row : rows) {
      const auto* task = std::get_if<sched::TaskInstance>(&row);
      if (task != nullptr && task->state == sched::TaskState::kRunning)
        lost_.push_back({.task = task->id, .try_number = task->try_number});
    }
    scheduler_.restore(std::move(rows));
    TRY(note_beginnings(dags));
    ASSIGN(const auto left, metadata_->unfinished_tries());
    Effects first = scheduler_.set_dags(dags, now());
    set_dags(std::move(dags));
    TRY(metadata_->keep(first.changes, {}, callbacks_of({&first, 1})));
    begin_with_ = std::move(first);
    for (const auto& one : left) {
      metadata::Try lost = one;
      lost.state = sched::TaskState::kFailed;
      lost.ended_at = now();
      lost.why = "the program went while it ran";
      TRY(metadata_->keep_try(lost));
    }
    return {};
  }

  Status start() {
    {
      const std::lock_guard lock(mutex_);  // who asks already is answered without the thread
      thread_ = std::thread([this] { run(); });
    }
    if (options_.only.empty())
      looks_.emplace(workshop_.dags_folder, files_read_, [this] { read_again(); });
    return watch_sources();
  }

  /// What was there when the DAGs were read.
  void files_were(DagFiles files) { files_read_ = std::move(files); }

  /// Topics that are listened to for the first time are told from here on, before anything else of
  /// the project runs.
  Status note_beginnings(const std::vector<std::shared_ptr<const dags::Dag>>& dags) {
    ASSIGN(const auto sources, all_sources(dags, options_));
    ASSIGN(const auto cursors, metadata_->cursors());
    std::vector<metadata::Cursor> first;
    for (const AssetSource& source : sources) {
      if (source.kind != AssetSource::Kind::kTopic || !options_.log) continue;
      if (std::ranges::find(cursors, source.uri, &metadata::Cursor::source) != cursors.end())
        continue;
      ASSIGN(log::Log* const log, options_.log());
      ASSIGN(auto some, beginnings(*log, source));
      first.insert(first.end(), some.begin(), some.end());
    }
    return metadata_->keep({}, first);
  }

  /// What DAGs listen to now; what they listen to no more is forgotten.
  Status watch_sources() {
    const std::lock_guard lock(sources_mutex_);
    if (stopping_) return {};
    ASSIGN(const auto sources, all_sources(dags(), options_));
    ASSIGN(auto cursors, metadata_->cursors());
    std::vector<metadata::Cursor> gone;
    for (const auto& cursor : cursors) {
      if (std::ranges::find(sources, cursor.source, &AssetSource::uri) == sources.end())
        gone.push_back({cursor.source, cursor.part, std::nullopt});
    }
    TRY(metadata_->keep({}, gone));
    std::vector<AssetSource> topics, files;
    for (const AssetSource& source : sources)
      (source.kind == AssetSource::Kind::kTopic ? topics : files).push_back(source);
    topic_events_.reset();
    file_events_.reset();
    if (options_.log && !topics.empty()) {
      ASSIGN(log::Log* const log, options_.log());
      topic_events_ = std::make_unique<TopicEvents>(*log, *this);
      topic_events_->start(std::move(topics), cursors);
    }
    if (files.empty()) return {};
    file_events_ = std::make_unique<FileEvents>(options_.lake, *this);
    return file_events_->start(std::move(files), cursors);
  }

  // --- AssetSink ---

  Result<Offset> records(const AssetSource& source, std::int32_t partition,
                         const std::vector<Records>& records, Offset next) override {
    return between<Result<Offset>>([&] { return take(source, partition, records, next); });
  }

  Status happened(const AssetSource& source, std::optional<jinja::Value> extra,
                  std::vector<metadata::Cursor> cursors) override {
    return between<Status>([&]() -> Status {
      std::vector<Effects> effects;
      if (extra) {
        ASSIGN(auto done,
               handle_now(sched::AssetHappened{
                   .uri = source.uri, .extra = std::move(*extra), .aliases = {}, .count = 1}));
        effects.push_back(std::move(done));
      }
      return carry_out(std::move(effects), false, cursors);
    });
  }

  void stop(std::chrono::milliseconds grace) {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      some_.notify_all();
    }
    {
      const std::lock_guard lock(sources_mutex_);
      topic_events_.reset();
      file_events_.reset();
    }
    {
      std::unique_lock lock(mutex_);
      idle_.wait_for(lock, grace, [&] { return running_.empty(); });
      for (auto& [key, source] : running_) source.request_stop();
      gave_up_ = true;
      metadata_->give_up();
      idle_.wait(lock, [&] { return running_.empty(); });
    }
    looks_.reset();
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      some_.notify_all();
    }
    thread_.join();
    callbacks_.stop();
  }

  /// On the scheduler's thread; the answer comes when it is kept.
  Status handle(sched::Event event) { return ask(std::move(event)).get(); }

  Result<sched::RunId> trigger(sched::Trigger wanted) {
    for (const auto& dag : dags()) {
      if (dag->id == wanted.dag) TRY(check_params(*dag, wanted.conf));
    }
    auto made = std::make_shared<sched::RunId>();
    TRY(ask(std::move(wanted), made).get());
    return *made;
  }

  std::future<Status> ask(sched::Event event, std::shared_ptr<sched::RunId> made = nullptr) {
    Command command{.event = std::move(event), .answer = {}, .made = std::move(made)};
    auto answer = command.answer.get_future();
    {
      const std::lock_guard lock(mutex_);
      if (over_ || !thread_.joinable()) {
        command.answer.set_value(error(Code::kCancelled, "the workflows are stopped"));
        return answer;
      }
      commands_.push_back(std::move(command));
    }
    some_.notify_all();
    return answer;
  }

  /// Runs on the scheduler's thread, between two steps; kCancelled when that is over.
  template <typename Answer, typename Work>
  Answer between(Work work) {
    std::packaged_task<Answer()> task(std::move(work));
    auto answer = task.get_future();
    {
      const std::lock_guard lock(mutex_);
      if (!thread_.joinable() || over_) return error(Code::kCancelled, "the workflows are stopped");
      works_.push_back([&task] { task(); });
    }
    some_.notify_all();
    return answer.get();
  }

  /// Runs on the scheduler's thread, between two steps; here, when that is over.
  template <typename Work>
  auto between(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto answer = task.get_future();
    {
      const std::lock_guard lock(mutex_);
      if (!thread_.joinable() || over_) {
        task();
        return answer.get();
      }
      works_.push_back([&task] { task(); });
    }
    some_.notify_all();
    return answer.get();
  }

  std::vector<dags::Finding> reload() {
    const std::lock_guard lock(reading_mutex_);
    auto reading = dags::read(workshop_.dags_folder, tasks::operators_here(),
                              {.folder = {}, .environment = {}, .now = now()});
    if (!reading) return {{.place = {}, .fatal = true, .what = reading.error().what}};
    was_read(reading->findings);
    if (!lines_of(reading->findings, true).empty()) return reading->findings;
    if (const auto sources = all_sources(reading->dags, options_); !sources) {
      reading->findings.push_back({.place = {}, .fatal = true, .what = sources.error().what});
      return reading->findings;
    }
    between([&] {
      auto effects = scheduler_.set_dags(reading->dags, now());
      set_dags(std::move(reading->dags));
      return carry_out({std::move(effects)});
    });
    if (const auto watched = watch_sources(); !watched)
      reading->findings.push_back({.place = {}, .fatal = false, .what = watched.error().what});
    return reading->findings;
  }

  /// Files have changed.
  void read_again() {
    const auto findings = reload();
    const std::string fatal = lines_of(findings, true), doubts = lines_of(findings, false);
    if (!fatal.empty())
      LOG(error, "DAG files have changed and are not taken, the DAGs stay as they were: {}", fatal);
    else
      LOG(info, "DAG files have changed: {} DAGs", dags().size());
    if (!doubts.empty()) LOG(warn, "{}", doubts);
  }

  Status forget(const std::string& id) {
    TRY(between<Status>([&]() -> Status {
      ASSIGN(auto done, handle_now(sched::ForgetDag{.dag = id}));
      {
        const std::lock_guard lock(dags_mutex_);
        dags_.erase(id);
      }
      std::vector<Effects> effects;
      effects.push_back(std::move(done));
      return carry_out(std::move(effects));
    }));
    return watch_sources();
  }

  void was_read(std::vector<dags::Finding> findings) {
    const std::lock_guard lock(dags_mutex_);
    reading_ = {.findings = std::move(findings), .at = now()};
  }
  Reading last_reading() const {
    const std::lock_guard lock(dags_mutex_);
    return reading_;
  }

  std::vector<std::shared_ptr<const dags::Dag>> dags() const {
    const std::lock_guard lock(dags_mutex_);
    std::vector<std::shared_ptr<const dags::Dag>> all;
    for (const auto& [id, dag] : dags_) all.push_back(dag);
    return all;
  }

  Result<View> view(const sched::RunId& id) {
    auto seen = between([&]() -> std::optional<View> {
      const sched::Run* run = scheduler_.find(id);
      if (run == nullptr) return std::nullopt;
      View view{.run = *run, .tasks = {}, .waits = {}};
      for (const auto* task : scheduler_.tasks(id)) {
        view.tasks.push_back(*task);
        view.waits.push_back(sched::is_finished(task->state)
                                 ? std::vector<std::string>{}
                                 : scheduler_.why_waiting(task->id, now()));
      }
      return view;
    });
    if (seen) return std::move(*seen);
    metadata::Metadata& kept = metadata_->at_once();
    ASSIGN(auto run, kept.run(id));
    if (!run) return error(Code::kNotFound, fmt::format("DAG {} has no run {}", id.dag, id.run));
    ASSIGN(auto tasks, kept.tasks(id));
    View view{.run = std::move(*run), .tasks = std::move(tasks), .waits = {}};
    view.waits.resize(view.tasks.size());
    return view;
  }

  std::vector<sched::DagRow> rows() {
    return between([&] {
      std::vector<sched::DagRow> all;
      for (const auto& dag : dags())
        if (const auto* row = scheduler_.row(dag->id)) all.push_back(*row);
      return all;
    });
  }

  std::vector<sched::Pool> pools() {
    return between([&] {
      std::vector<sched::Pool> all;
      for (const auto* pool : scheduler_.pools()) all.push_back(*pool);
      return all;
    });
  }

  /// Nothing where the scheduler waits for a second, or is over.
  std::optional<sched::Census> census() {
    auto asked = std::make_shared<std::promise<sched::Census>>();
    auto answer = asked->get_future();
    {
      const std::lock_guard lock(mutex_);
      if (!thread_.joinable() || over_) return std::nullopt;
      works_.push_back([this, asked] { asked->set_value(scheduler_.census()); });
    }
    some_.notify_all();
    if (answer.wait_for(1s) != std::future_status::ready) return std::nullopt;
    return answer.get();
  }
  void write_metrics(MetricsText& out) { metrics_.write(out, census(), !trouble().empty()); }

  const Options& options() const { return options_; }
  Micros now() const { return clock_.now().value * 1000; }
  Micros began() const { return begun_; }
  TryLogs& logs() { return logs_; }
  metadata::Metadata& metadata() { return metadata_->at_once(); }
  std::string trouble() { return metadata_->trouble(); }
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }
  void on_notice(std::function<void(const sched::Notice&)> notice) { notice_ = std::move(notice); }

 private:
  using Effects = sched::Effects;
  using TryKey = std::pair<sched::TaskId, int>;

  struct Command {
    sched::Event event;
    std::promise<Status> answer;
    std::shared_ptr<sched::RunId> made;  ///< where a Trigger's run is wanted
  };

  void set_dags(std::vector<std::shared_ptr<const dags::Dag>> dags) {
    const std::lock_guard lock(dags_mutex_);
    dags_.clear();
    metrics_.know(dags);
    for (auto& dag : dags) dags_[dag->id] = std::move(dag);
  }

  void run() {
    (void)carry_out({std::move(begin_with_)}, true);
    telling_of_lost_ = true;
    for (auto& lost : lost_) step(sched::Event(std::move(lost)));
    telling_of_lost_ = false;
    lost_.clear();
    callbacks_.wake();
    std::unique_lock lock(mutex_);
    while (!over_) {
      if (commands_.empty() && works_.empty()) wait(lock);
      auto commands = std::exchange(commands_, {});
      auto works = std::exchange(works_, {});
      lock.unlock();
      for (auto& work : works) work();
      serve(std::move(commands));
      lock.lock();
    }
    auto rest = std::exchange(commands_, {});
    auto works = std::exchange(works_, {});
    lock.unlock();
    for (auto& work : works) work();
    serve(std::move(rest));
  }

  /// Until there is something to do: a command, or a time that the scheduler named.
  void wait(std::unique_lock<std::mutex>& lock) {
    const auto at = stopping_ ? std::nullopt : scheduler_.wake_at();
    const auto ready = [&] { return over_ || !commands_.empty() || !works_.empty(); };
    if (!at) {
      some_.wait(lock, ready);
    } else {
      const auto patience = std::chrono::microseconds(std::max<Micros>(0, *at - now()));
      some_.wait_for(lock, std::min<std::chrono::microseconds>(patience, 1h), ready);
    }
  }

  /// Commands of one moment are kept by one write.
  void serve(std::deque<Command> commands) {
    std::vector<Effects> effects;
    std::vector<std::pair<std::promise<Status>, Status>> answers;
    for (auto& command : commands) {
      auto done = handle_now(command.event);
      if (done && command.made) {
        for (const auto& change : done->changes) {
          if (const auto* run = std::get_if<sched::Run>(&change)) {
            *command.made = run->id;
            break;
          }
        }
      }
      answers.emplace_back(std::move(command.answer),
                           done ? Status{} : Status(std::unexpected(done.error())));
      if (done) effects.push_back(std::move(*done));
    }
    if (!stopping_) effects.push_back(scheduler_.tick(now()));
    const Status kept = carry_out(std::move(effects));
    for (auto& [answer, status] : answers)
      answer.set_value(status && !kept ? kept : std::move(status));
  }

  /// Events of a topic's records, as large as the batches that DAGs declare let them be.
  Result<Offset> take(const AssetSource& source, std::int32_t partition,
                      const std::vector<Records>& records, Offset next) {
    std::vector<Effects> effects;
    Offset came = records.front().first;
    bool all = true;
    for (const Records& some : records) {
      for (std::int64_t done = 0; done < some.count && all;) {
        const std::int64_t room = scheduler_.room(source.uri);
        all = room > 0 && effects.size() < kMostEventsAtOnce;
        if (!all) break;
        const std::int64_t count = std::min(room, some.count - done);
        const Offset first = some.first + done;
        ASSIGN(auto step, handle_now(sched::AssetHappened{
                              .uri = source.uri,
                              .extra = records_extra(source.name, partition, first, count),
                              .aliases = {},
                              .count = count}));
        effects.push_back(std::move(step));
        done += count;
        came = first + count;
      }
      if (!all) break;
    }
    if (all) came = next;
    if (effects.empty()) return came;
    TRY(carry_out(std::move(effects), false,
                  {{source.uri, std::to_string(partition), std::to_string(came.value)}}));
    return came;
  }

  void step(const sched::Event& event) {
    auto done = handle_now(event);
    if (done) {
      std::vector<Effects> effects;
      effects.push_back(std::move(*done));
      (void)carry_out(std::move(effects));
    }
  }

  Result<Effects> handle_now(const sched::Event& event) {
    for (const auto& wanted : scheduler_.wanted(event)) {
      ASSIGN(auto rows, metadata_->recall(wanted));
      scheduler_.recall(std::move(rows));
    }
    return scheduler_.handle(event, now());
  }

  /// Keeps first; a disk that is full is waited for, for what the scheduler holds is ahead of it.
  /// Where the program stops meanwhile, nothing more is kept: it goes on from the step before.
  Status carry_out(std::vector<Effects> all, bool kept = false,
                   const std::vector<metadata::Cursor>& cursors = {}) {
    std::vector<sched::Change> changes;
    for (auto& effects : all)
      changes.insert(changes.end(), std::make_move_iterator(effects.changes.begin()),
                     std::make_move_iterator(effects.changes.end()));
    const auto callbacks = callbacks_of(all);
    metrics_.changed(changes, begun_);
    std::string told;
    while (!kept && !(changes.empty() && cursors.empty() && callbacks.empty())) {
      const auto done = cut_off_
                            ? error(Code::kUnavailable, "the workflows' state could not be kept")
                            : metadata_->keep(changes, cursors, callbacks);
      if (done) break;
      cut_off_ = gave_up_;
      if (cut_off_) return done;
      if (std::exchange(told, done.error().what) != done.error().what)
        LOG(error, "workflows wait, for their state cannot be kept: {}", done.error().what);
      std::this_thread::sleep_for(kRetryKeeping);
    }
    for (auto& effects : all) {
      for (const auto& stop : effects.stops) stop_try({stop.task, stop.try_number});
      for (const auto& start : effects.starts) start_try(start);
      for (const auto& notice : effects.notices) {
        metrics_.told(notice, scheduler_.find(notice.run));
        if (notice_) notice_(notice);
      }
    }
    if (!callbacks.empty()) callbacks_.wake();
    if (!changes.empty() && changed_) changed_();
    return {};
  }

  std::vector<metadata::Callback> callbacks_of(std::span<const Effects> all) const {
    std::vector<metadata::Callback> found;
    for (const auto& effects : all) {
      for (const auto& notice : effects.notices) {
        const auto dag = find_dag(notice.run.dag);
        auto callback = dag ? callback_of(notice, *dag, telling_of_lost_) : std::nullopt;
        if (callback) found.push_back(std::move(*callback));
      }
    }
    return found;
  }

  std::shared_ptr<const dags::Dag> find_dag(const std::string& id) const {
    const std::lock_guard lock(dags_mutex_);
    const auto dag = dags_.find(id);
    return dag == dags_.end() ? nullptr : dag->second;
  }

  void stop_try(const TryKey& key) {
    const std::lock_guard lock(mutex_);
    const auto at = running_.find(key);
    if (at != running_.end()) at->second.request_stop();
  }

  void start_try(const sched::Start& start) {
    Attempt attempt{.id = start.task,
                    .try_number = start.try_number,
                    .dag = {},
                    .run = {},
                    .instance = {},
                    .triggering = {}};
    attempt.dag = find_dag(start.task.run.dag);
    if (!attempt.dag) return;
    const sched::Run* run = scheduler_.find(start.task.run);
    CHECK(run != nullptr);
    attempt.run = *run;
    for (const auto* one : scheduler_.tasks(start.task.run)) {
      if (one->id == start.task) attempt.instance = *one;
    }
    std::stop_token token;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;  // it is queued, and starts when the program does
      token = running_[{start.task, start.try_number}].get_token();
    }
    threads_.run(
        [this, attempt = std::move(attempt), token]() mutable { run_try(attempt, token); });
  }

  /// On a thread of its own: the code begins when the scheduler has kept that it does.
  void run_try(Attempt& attempt, const std::stop_token& token) {
    const bool began =
        ask(sched::Started{.task = attempt.id, .try_number = attempt.try_number}).get().has_value();
    if (began) {
      metrics_.began(attempt.instance, now());
      find_events(attempt);
      const tasks::Outcome outcome = attempt_outcome(attempt, token);
      const bool going = token.stop_requested() && stopping_;
      (void)ask(going ? sched::Event(sched::Interrupted{.task = attempt.id,
                                                        .try_number = attempt.try_number})
                      : sched::Event(finished(attempt, outcome)))
          .get();
    }
    const std::lock_guard lock(mutex_);
    running_.erase({attempt.id, attempt.try_number});
    idle_.notify_all();
  }

  /// What its run consumed, for its templates.
  void find_events(Attempt& attempt) {
    if (attempt.run.asset_events.empty()) return;
    auto events = metadata_->asset_events(attempt.run.asset_events);
    if (events) attempt.triggering = std::move(*events);
  }

  tasks::Outcome attempt_outcome(const Attempt& attempt, const std::stop_token& token) {
    auto log = logs_.open(attempt.id, attempt.try_number);
    if (!log) return tasks::Outcome::failed(log.error().what);
    metadata::Try one{.task = attempt.id,
                      .number = attempt.try_number,
                      .state = sched::TaskState::kRunning,
                      .started_at = now(),
                      .ended_at = {},
                      .pid = 0,
                      .why = {}};
    (void)begin_try(one);
    tasks::Outcome outcome =
        run_attempt(workshop_, attempt, **log, token, [&](int pid) { one.pid = pid; });
    using How = tasks::Outcome::How;
    if (token.stop_requested() && stopping_) outcome.why = "it was stopped with the program";
    const bool comes_back = outcome.how == How::kReschedule || outcome.how == How::kDefer;
    one.state = outcome.how == How::kSuccess   ? sched::TaskState::kSuccess
                : outcome.how == How::kSkipped ? sched::TaskState::kSkipped
                : comes_back                   ? sched::TaskState::kUpForReschedule
                                               : sched::TaskState::kFailed;
    one.ended_at = now();
    one.why = outcome.why;
    (void)metadata_->keep_try(one);
    return outcome;
  }

  /// A new try begins without the XComs of the one before; one that comes back has its own.
  Status begin_try(metadata::Try& one) {
    ASSIGN(const auto tries, metadata_->tries(one.task));
    const auto before = std::ranges::find(tries, one.number, &metadata::Try::number);
    if (before == tries.end()) {
      TRY(metadata_->clear_xcoms(one.task));
    } else {
      one.started_at = before->started_at;
    }
    return metadata_->keep_try(one);
  }

  const Options options_;
  DagFiles files_read_;
  std::mutex reading_mutex_;  ///< one reading of the files at a time
  std::mutex sources_mutex_;
  std::unique_ptr<TopicEvents> topic_events_;
  std::unique_ptr<FileEvents> file_events_;
  std::unique_ptr<metadata::Metadata> metadata_;
  rt::Clock& clock_;
  sched::Scheduler scheduler_;  ///< of the scheduler's thread, once it runs
  TryLogs logs_;
  Workshop workshop_;

  mutable std::mutex dags_mutex_;
  std::map<std::string, std::shared_ptr<const dags::Dag>> dags_;
  Reading reading_;

  std::mutex mutex_;
  std::condition_variable some_, idle_;
  std::deque<Command> commands_;
  std::deque<std::function<void()>> works_;
  std::map<TryKey, std::stop_source> running_;
  std::atomic<bool> stopping_ = false;
  bool over_ = false;
  std::atomic<bool> gave_up_ = false;  ///< the program stops, and waits for no database any more
  bool cut_off_ = false;               ///< a step was not kept: none after it is
  std::thread thread_;
  Metrics metrics_;
  const Micros begun_ = now();
  Effects begin_with_;
  std::vector<sched::Lost> lost_;
  std::function<void()> changed_;
  std::function<void(const sched::Notice&)> notice_;
  bool telling_of_lost_ = false;  ///< the scheduler's thread is about tries that went
  RunCallbacks callbacks_;
  TaskThreads threads_;
  std::optional<DagFileLooks> looks_;
};

Result<std::unique_ptr<Workflows>> Workflows::open(Options options, tasks::ProjectAccess& project,
                                                   rt::Clock& clock) {
  std::error_code failed;
  std::filesystem::create_directories(options.data + "/dags/logs", failed);
  if (failed)
    return error(Code::kFailedPrecondition, fmt::format("{}: {}", options.data, failed.message()));
  DagFiles files = dag_files(options.folder + "/dags");
  ASSIGN(auto reading,
         dags::read(options.folder + "/dags", tasks::operators_here(),
                    {.folder = {}, .environment = {}, .now = clock.now().value * 1000}));
  if (const std::string fatal = lines_of(reading.findings, true); !fatal.empty())
    return error(Code::kInvalidArgument, fatal);
  if (const std::string doubts = lines_of(reading.findings, false); !doubts.empty())
    LOG(warn, "{}", doubts);
  if (!options.only.empty()) {
    ASSIGN(reading.dags, only(reading.dags, options.only));
  }
  ASSIGN(auto kept, metadata::Metadata::open(metadata_place(options)));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(kept), project, clock);
  impl->was_read(std::move(reading.findings));
  impl->files_were(std::move(files));
  TRY(all_sources(reading.dags, impl->options()));
  TRY(impl->recover(std::move(reading.dags)));
  return std::unique_ptr<Workflows>(new Workflows(std::move(impl)));
}

Workflows::Workflows(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Workflows::~Workflows() = default;

Status Workflows::start() {
  return impl_->start();
}
void Workflows::stop(std::chrono::milliseconds grace) {
  impl_->stop(grace);
}
Result<sched::RunId> Workflows::trigger(sched::Trigger trigger) {
  return impl_->trigger(std::move(trigger));
}
Status Workflows::handle(sched::Event event) {
  return impl_->handle(std::move(event));
}
Status Workflows::forget(const std::string& dag) {
  return impl_->forget(dag);
}
Status Workflows::happened(std::string uri, jinja::Value extra) {
  return impl_->handle(
      sched::AssetHappened{.uri = std::move(uri), .extra = std::move(extra), .aliases = {}});
}
std::vector<dags::Finding> Workflows::reload() {
  return impl_->reload();
}
std::vector<std::shared_ptr<const dags::Dag>> Workflows::dags() const {
  return impl_->dags();
}
metadata::Metadata& Workflows::metadata() {
  return impl_->metadata();
}
std::string Workflows::trouble() {
  return impl_->trouble();
}
Result<Workflows::View> Workflows::view(const sched::RunId& run) {
  return impl_->view(run);
}
std::vector<sched::DagRow> Workflows::rows() {
  return impl_->rows();
}
std::vector<sched::Pool> Workflows::pools() {
  return impl_->pools();
}
void Workflows::write_metrics(MetricsText& out) {
  impl_->write_metrics(out);
}
const Options& Workflows::options() const {
  return impl_->options();
}
sched::Micros Workflows::now() const {
  return impl_->now();
}
sched::Micros Workflows::began() const {
  return impl_->began();
}
Workflows::Reading Workflows::last_reading() const {
  return impl_->last_reading();
}
Result<Workflows::LogPart> Workflows::log(const sched::TaskId& task, int try_number,
                                          std::uint64_t offset, std::chrono::milliseconds wait) {
  ASSIGN(auto part, impl_->logs().read(task, try_number, offset, wait));
  const bool over = !part.under_way && part.text.empty();
  return LogPart{.text = std::move(part.text), .next = part.next, .over = over};
}
void Workflows::on_change(std::function<void()> changed) {
  impl_->on_change(std::move(changed));
}
void Workflows::on_notice(std::function<void(const sched::Notice&)> notice) {
  impl_->on_notice(std::move(notice));
}

}  // namespace tailrace::workflows
