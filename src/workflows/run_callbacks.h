// Callbacks that the scheduler's steps ask for: of runs that have ended, deadlines that have
// passed, and tasks whose try went with the program. They are kept with the step, called one after
// the other on a thread of their own, and dropped when they have been called: a crash may call one
// twice, and loses none.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dags/dag.h"
#include "metadata/metadata.h"
#include "sched/scheduler.h"
#include "workflows/attempt.h"
#include "workflows/try_log.h"

namespace tailrace::workflows {

/// The callback that a notice asks for, if its DAG has one. `lost`: a task's notices do, for nobody
/// else tells of it.
std::optional<metadata::Callback> callback_of(const sched::Notice& notice, const dags::Dag& dag,
                                              bool lost);

class RunCallbacks {
 public:
  using FindDag = std::function<std::shared_ptr<const dags::Dag>(const std::string& id)>;
  RunCallbacks(const Workshop& workshop, TryLogs& logs, FindDag find)
      : workshop_(workshop), logs_(logs), find_(std::move(find)) {}
  ~RunCallbacks() { stop(); }

  /// There may be some to call.
  void wake();
  /// Ends the one that is called; it is called again when the program comes back.
  void stop();

 private:
  void loop(const std::stop_token& stop);
  void call(const metadata::Callback& callback, const std::stop_token& stop);
  /// The try whose names its context has: the callback's own, or the one that the run's end follows
  /// from.
  Result<Attempt> attempt_of(const metadata::Callback& callback,
                             std::shared_ptr<const dags::Dag> dag) const;

  const Workshop& workshop_;
  TryLogs& logs_;
  const FindDag find_;
  std::mutex mutex_;
  std::condition_variable_any some_;
  bool woken_ = false;
  std::jthread thread_;
};

}  // namespace tailrace::workflows
