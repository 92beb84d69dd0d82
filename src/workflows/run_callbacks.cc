// Kept callbacks, called.
#include "workflows/run_callbacks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace tailrace::workflows {
namespace {

constexpr std::chrono::seconds kLookAgain{5};
constexpr std::string_view kDeadline = "deadline";

using Kind = sched::Notice::Kind;
using sched::TaskState;

std::size_t number(const std::string& text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The value that a DAG or its task has under a callback's name; null when it has none any more.
const jinja::Value* value_of(const metadata::Callback& callback, const dags::Dag& dag) {
  if (callback.name == kDeadline) {
    const std::size_t at = number(callback.reason);
    return at < dag.deadlines.size() ? &dag.deadlines[at].callback : nullptr;
  }
  const bool failed = callback.name == "on_failure_callback";
  if (callback.task.task.empty()) return failed ? &dag.on_failure : &dag.on_success;
  const dags::Task* task = dag.find(callback.task.task);
  if (task == nullptr) return nullptr;
  return failed ? &task->on_failure : &task->on_retry;
}

}  // namespace

std::optional<metadata::Callback> callback_of(const sched::Notice& notice, const dags::Dag& dag,
                                              bool lost) {
  metadata::Callback callback{
      .task = {notice.run, "", -1}, .name = {}, .reason = notice.reason, .why = notice.why};
  switch (notice.kind) {
    case Kind::kRunFinished:
      if (notice.reason.empty()) return std::nullopt;
      callback.name = notice.reason == "success" ? "on_success_callback" : "on_failure_callback";
      break;
    case Kind::kDeadlineMissed:
      callback.name = kDeadline;
      break;
    case Kind::kTaskFailed:
    case Kind::kTaskRetry:
      if (!lost || !notice.task) return std::nullopt;
      callback.task = *notice.task;
      callback.name =
          notice.kind == Kind::kTaskFailed ? "on_failure_callback" : "on_retry_callback";
      break;
    default:
      return std::nullopt;
  }
  const jinja::Value* value = value_of(callback, dag);
  if (value == nullptr || value->dict() == nullptr) return std::nullopt;
  return callback;
}

void RunCallbacks::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  some_.notify_all();
  if (!thread_.joinable())
    thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
}

void RunCallbacks::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void RunCallbacks::loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      some_.wait(lock, stop, [this] { return woken_; });
      if (stop.stop_requested()) return;
      woken_ = false;
    }
    auto waiting = workshop_.metadata.callbacks();
    if (!waiting) {
      LOG(warn, "callbacks of workflows cannot be read: {}", waiting.error().what);
      std::unique_lock lock(mutex_);
      some_.wait_for(lock, stop, kLookAgain, [] { return false; });
      woken_ = true;
      continue;
    }
    for (const metadata::Callback& callback : *waiting) {
      call(callback, stop);
      if (stop.stop_requested()) return;
      if (auto dropped = workshop_.metadata.drop_callback(callback.id); !dropped)
        LOG_OF(warn,
               log_of("dag", callback.task.run.dag, "run", callback.task.run.run, "task",
                      callback.task.task),
               "{} of {} may be called again: {}", callback.name, callback.task.run.dag,
               dropped.error().what);
    }
  }
}

void RunCallbacks::call(const metadata::Callback& callback, const std::stop_token& stop) {
  const auto dag = find_(callback.task.run.dag);
  const jinja::Value* value = dag ? value_of(callback, *dag) : nullptr;
  if (value == nullptr) return;
  const auto attempt = attempt_of(callback, dag);
  if (!attempt) {
    LOG_OF(warn,
           log_of("dag", callback.task.run.dag, "run", callback.task.run.run, "task",
                  callback.task.task),
           "{} of {}: {}", callback.name, callback.task.run.dag, attempt.error().what);
    return;
  }
  Occasion occasion{.name = callback.name};
  if (callback.name == kDeadline) {
    const std::string& name = dag->deadlines[number(callback.reason)].name;
    occasion.deadline = name.empty() ? callback.reason : name;
  } else if (callback.task.task.empty()) {
    occasion.reason = callback.reason;
  } else {
    occasion.exception = callback.why;
  }
  sched::TaskId place = callback.task;
  if (place.task.empty()) place.task = callback.name;
  auto log = logs_.open(place, attempt->try_number);
  if (!log) {
    LOG_OF(warn,
           log_of("dag", callback.task.run.dag, "run", callback.task.run.run, "task",
                  callback.task.task),
           "{} of {}: {}", callback.name, callback.task.run.dag, log.error().what);
    return;
  }
  run_callback(workshop_, *attempt, *value, occasion, **log, stop);
}

Result<Attempt> RunCallbacks::attempt_of(const metadata::Callback& callback,
                                         std::shared_ptr<const dags::Dag> dag) const {
  ASSIGN(auto run, workshop_.metadata.run(callback.task.run));
  if (!run) return error(Code::kNotFound, fmt::format("run {} is gone", callback.task.run.run));
  ASSIGN(const auto tasks, workshop_.metadata.tasks(callback.task.run));
  const auto fits = [&](const sched::TaskInstance& task) {
    if (!callback.task.task.empty()) return task.id == callback.task;
    if (callback.reason == "success") return task.state == TaskState::kSuccess;
    if (callback.reason == "task_failure") return task.state == TaskState::kFailed;
    return !sched::is_finished(task.state);
  };
  const sched::TaskInstance* last = nullptr;
  for (const auto& task : tasks) {
    if (fits(task) && (last == nullptr || task.ended_at >= last->ended_at)) last = &task;
  }
  Attempt attempt{.id = callback.task,
                  .try_number = last == nullptr ? 1 : std::max(last->try_number, 1),
                  .dag = std::move(dag),
                  .run = std::move(*run),
                  .instance = last == nullptr ? sched::TaskInstance() : *last,
                  .triggering = {}};
  if (last != nullptr) attempt.id = last->id;
  ASSIGN(attempt.triggering, workshop_.metadata.asset_events(attempt.run.asset_events));
  return attempt;
}

}  // namespace tailrace::workflows
