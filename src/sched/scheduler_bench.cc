// What scheduling costs, on one core: `scheduler_bench`.
//
// `hour`: 1,000 DAGs of 20 tasks in five layers, each run every six minutes, so 10,000 runs and
// 200,000 tasks an hour; every task takes 30 seconds of simulated time. The CPU of the hour, and
// the memory at its end. `events`: an asset event to its run's first start. `years`: ten years of
// an hourly DAG, caught up.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

#include "base/check.h"
#include "sched/scheduler.h"
#include "sched/testing/make_dag.h"

namespace {

using namespace tailrace;
using namespace tailrace::sched;
using namespace tailrace::sched::testing;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_mb() {
  std::ifstream file("/proc/self/statm");
  long total = 0, resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) * 4096 / 1e6;
}

std::vector<dags::Task> five_layers() {
  std::vector<dags::Task> tasks;
  for (int layer = 0; layer < 5; ++layer) {
    for (int i = 0; i < 4; ++i) {
      std::vector<std::string> upstream;
      for (int j = 0; layer > 0 && j < 4; ++j) {
        upstream.push_back(fmt::format("layer{}_task{}", layer - 1, j));
      }
      tasks.push_back(task(fmt::format("layer{}_task{}", layer, i), upstream));
    }
  }
  return tasks;
}

/// Runs what starts, `duration` long each, until `end`; the number of tasks that ended.
int live(Scheduler& scheduler, Effects effects, Micros now, Micros end, Micros duration,
         long& changes) {
  std::deque<std::pair<Micros, Start>> running;
  int ended = 0;
  auto take = [&](const Effects& answer) {
    changes += static_cast<long>(answer.changes.size());
    std::deque<Start> open(answer.starts.begin(), answer.starts.end());
    for (; !open.empty(); open.pop_front()) {
      auto begun = scheduler.handle(Started{open.front().task, open.front().try_number}, now);
      CHECK(begun);
      changes += static_cast<long>(begun->changes.size());
      running.emplace_back(now + duration, open.front());
      open.insert(open.end(), begun->starts.begin(), begun->starts.end());
    }
  };
  take(effects);
  for (;;) {
    std::optional<Micros> wake = scheduler.wake_at();
    Micros next = running.empty() ? end : running.front().first;
    if (wake && std::max(*wake, now) <= next) {
      now = std::max(*wake, now);
      if (now >= end) return ended;
      take(scheduler.tick(now));
      continue;
    }
    now = next;
    if (now >= end) return ended;
    Start start = running.front().second;
    running.pop_front();
    Finished event;
    event.task = start.task;
    event.try_number = start.try_number;
    event.how = Finished::How::kSuccess;
    auto answer = scheduler.handle(event, now);
    CHECK(answer);
    ++ended;
    take(*answer);
  }
}

void hour() {
  double before = resident_mb();
  std::vector<std::shared_ptr<const dags::Dag>> dags;
  for (int i = 0; i < 1000; ++i) {
    dags.push_back(make_dag(fmt::format("dag_number_{:04}", i), five_layers(), [&](dags::Dag& dag) {
      every(6 * kMinute)(dag);
      dag.start_date = kNewYear + i * 360 * kSecond / 1000;
    }));
  }
  double dags_mb = resident_mb();
  double cpu = cpu_seconds();
  Scheduler scheduler({.parallelism = 100'000});
  scheduler.restore({});
  // More than the default pool's 128 run at a time.
  long changes = 0;
  (void)scheduler.handle(SetPool{{.name = "default_pool", .slots = -1}}, kNewYear);
  Effects effects = scheduler.set_dags(dags, kNewYear + 6 * kMinute);
  int ended = live(scheduler, std::move(effects), kNewYear + 6 * kMinute, kNewYear + 66 * kMinute,
                   30 * kSecond, changes);
  double used = cpu_seconds() - cpu;
  fmt::print(
      "hour    {:8} tasks ended, {:9} rows kept   {:6.2f} s CPU = {:.2f} % of one core   "
      "{:5.1f} MB, of them {:.1f} the DAGs\n",
      ended, changes, used, used / 36, resident_mb() - before, dags_mb - before);
}

void events() {
  std::vector<std::shared_ptr<const dags::Dag>> dags;
  for (int i = 0; i < 1000; ++i) {
    dags.push_back(make_dag(fmt::format("dag_{:04}", i), five_layers(), [&](dags::Dag& dag) {
      dag.assets = asset(fmt::format("x-topic://topic{}", i));
      dag.max_active_runs = 1'000'000;
    }));
  }
  Scheduler scheduler({.parallelism = 1'000'000});
  scheduler.restore({});
  (void)scheduler.handle(SetPool{{.name = "default_pool", .slots = -1}}, kNewYear);
  (void)scheduler.set_dags(dags, kNewYear);
  std::vector<double> micros;
  for (int i = 0; i < 5000; ++i) {
    AssetHappened event;
    event.uri = fmt::format("x-topic://topic{}", i % 1000);
    auto begin = std::chrono::steady_clock::now();
    auto answer = scheduler.handle(event, kNewYear + i);
    std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    CHECK(answer && answer->starts.size() == 4);
    micros.push_back(took.count());
  }
  std::ranges::sort(micros);
  fmt::print("events  to the first start: p50 {:.0f} µs, p99 {:.0f} µs\n", micros[2500],
             micros[4950]);
}

void years() {
  auto dag = make_dag("d", {task("a")}, every(kHour));
  double cpu = cpu_seconds();
  Scheduler scheduler({});
  scheduler.restore({});
  Micros now = kNewYear + 3652 * kDay;
  Effects effects = scheduler.set_dags({dag}, now);
  long changes = 0;
  int ended = live(scheduler, std::move(effects), now, now + 1000 * kSecond, 1000, changes);
  fmt::print("years   {:8} hourly runs caught up   {:6.2f} s CPU\n", ended, cpu_seconds() - cpu);
}

}  // namespace

int main() {
  hour();
  events();
  years();
}
