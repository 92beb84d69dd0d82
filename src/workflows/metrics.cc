#include "workflows/metrics.h"

#include <string_view>

namespace tailrace::workflows {
namespace {

using sched::Micros;
using sched::RunState;
using sched::TaskState;

std::chrono::nanoseconds between(Micros from, Micros to) {
  return std::chrono::microseconds(to - from);
}

double seconds(Micros time) {
  return static_cast<double>(time) / 1e6;
}

/// Somebody may have set the state: then the row has it.
bool succeeded(const sched::Notice& notice, const sched::Run* run) {
  return run != nullptr ? run->state == RunState::kSuccess : notice.reason == "success";
}

void write_census(MetricsText& out, const sched::Census& census) {
  out.family("tailrace_scheduler_runs", MetricType::kGauge,
             "Runs that are not finished, by state.");
  for (const RunState state : {RunState::kQueued, RunState::kRunning})
    out.add({{"state", sched::name(state)}}, census.runs[static_cast<std::size_t>(state)]);
  out.family("tailrace_scheduler_tasks", MetricType::kGauge,
             "Task instances of those runs that are not finished, by state.");
  for (int i = 0; i < sched::kTaskStates; ++i) {
    const auto state = static_cast<TaskState>(i);
    if (!sched::is_finished(state))
      out.add({{"state", sched::name(state)}}, census.tasks[static_cast<std::size_t>(i)]);
  }
  const auto pools = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, MetricType::kGauge, help);
    for (const auto& pool : census.pools) out.add({{"pool", pool.name}}, value(pool));
  };
  using Use = sched::Census::PoolUse;
  pools("tailrace_scheduler_pool_slots", "Slots of a pool; -1 where there is no limit.",
        [](const Use& pool) { return pool.slots; });
  pools("tailrace_scheduler_pool_used_slots", "Slots that queued and running tasks have.",
        [](const Use& pool) { return pool.used; });
  pools("tailrace_scheduler_pool_deferred_slots", "Slots of tasks that are deferred.",
        [](const Use& pool) { return pool.deferred; });
}

}  // namespace

void Metrics::know(const std::vector<std::shared_ptr<const dags::Dag>>& dags) {
  const std::lock_guard lock(mutex_);
  for (const auto& dag : dags) dags_[dag->id];
}

void Metrics::changed(const std::vector<sched::Change>& changes, Micros since) {
  for (const sched::Change& change : changes) {
    const auto* run = std::get_if<sched::Run>(&change);
    if (run == nullptr) continue;
    if (run->state != RunState::kRunning) {
      running_.erase(run->number);
    } else if (run->started_at && *run->started_at >= since &&
               running_.insert(run->number).second) {
      run_delay_.observe(between(run->run_after, *run->started_at));
    }
  }
}

void Metrics::told(const sched::Notice& notice, const sched::Run* run) {
  using Kind = sched::Notice::Kind;
  const std::lock_guard lock(mutex_);
  OfDag& dag = dags_[notice.run.dag];
  switch (notice.kind) {
    case Kind::kRunFinished:
      ++(succeeded(notice, run) ? dag.succeeded : dag.failed);
      if (run != nullptr && run->started_at && run->ended_at) {
        dag.took_s = seconds(*run->ended_at - *run->started_at);
        if (succeeded(notice, run)) dag.last_success_s = seconds(*run->ended_at);
      }
      return;
    case Kind::kTaskFailed:
      ++dag.tries[kFailed];
      return;
    case Kind::kTaskRetry:
      ++dag.tries[kRetry];
      return;
    case Kind::kTaskSucceeded:
      ++dag.tries[kSuccess];
      return;
    case Kind::kTaskSkipped:
      ++dag.tries[kSkipped];
      return;
    case Kind::kDeadlineMissed:
      missed_deadlines_.add();
      return;
  }
}

void Metrics::began(const sched::TaskInstance& task, Micros now) {
  if (task.scheduled_at) task_delay_.observe(between(*task.scheduled_at, now));
}

void Metrics::write_dags(MetricsText& out) const {
  const std::lock_guard lock(mutex_);
  out.family("tailrace_workflow_runs_total", MetricType::kCounter,
             "Runs that finished, by DAG and state.");
  for (const auto& [dag, numbers] : dags_) {
    out.add({{"dag", dag}, {"state", "success"}}, numbers.succeeded);
    out.add({{"dag", dag}, {"state", "failed"}}, numbers.failed);
  }
  out.family("tailrace_workflow_tries_total", MetricType::kCounter,
             "Tries of tasks that ended; `retry`: it failed, and is tried again.");
  constexpr std::array<std::string_view, kOutcomes> kNames = {"success", "failed", "retry",
                                                              "skipped"};
  for (const auto& [dag, numbers] : dags_)
    for (std::size_t i = 0; i < kOutcomes; ++i)
      out.add({{"dag", dag}, {"outcome", kNames[i]}}, numbers.tries[i]);
  const auto family = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, MetricType::kGauge, help);
    for (const auto& [dag, numbers] : dags_)
      if (const auto some = value(numbers)) out.add({{"dag", dag}}, *some);
  };
  family("tailrace_workflow_last_run_duration_seconds", "How long a DAG's last finished run took.",
         [](const OfDag& numbers) { return numbers.took_s; });
  family("tailrace_workflow_last_success_timestamp_seconds",
         "When a run of the DAG succeeded last.",
         [](const OfDag& numbers) { return numbers.last_success_s; });
}

void Metrics::write(MetricsText& out, const std::optional<sched::Census>& census,
                    bool waits) const {
  write_dags(out);
  out.family("tailrace_workflow_deadlines_missed_total", MetricType::kCounter,
             "Deadlines that runs missed.");
  out.add({}, missed_deadlines_.value());
  out.family("tailrace_scheduler_run_delay_seconds", MetricType::kHistogram,
             "From when a run may begin to when it began.");
  out.add({}, run_delay_, std::chrono::seconds(1));
  out.family("tailrace_scheduler_task_delay_seconds", MetricType::kHistogram,
             "From when all that a task waits for was there to when its try began.");
  out.add({}, task_delay_, std::chrono::seconds(1));
  out.family("tailrace_scheduler_waits", MetricType::kGauge,
             "1 while nothing goes on, since the metadata cannot be kept.");
  out.add({}, waits ? 1 : 0);
  if (census) write_census(out, *census);
}

}  // namespace tailrace::workflows
