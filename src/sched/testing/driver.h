// A driver without processes and without a disk: it keeps what the scheduler says is to be kept,
// starts tasks in the order it is told to, and can crash after any answer.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sched/scheduler.h"

namespace tailrace::sched::testing {

/// The rows, as a store would have them.
struct Kept {
  std::map<std::string, DagRow> dags;
  std::map<RunId, Run> runs;
  std::map<TaskId, TaskInstance> tasks;
  std::map<std::int64_t, AssetEvent> events;
  std::map<std::string, Pool> pools;
  std::map<std::int64_t, Backfill> backfills;
  Numbers numbers;

  void apply(const Change& change);
  /// What restore() asks for.
  std::vector<Change> to_restore(const Settings& settings) const;
  /// Finished runs that `wanted` names, with their tasks.
  std::vector<Change> to_recall(const Wanted& wanted) const;
};

class Driver {
 public:
  using Dags = std::vector<std::shared_ptr<const dags::Dag>>;
  Driver(Settings settings, Dags dags, Micros now);

  /// Recalls what the event needs, hands it over, keeps the answer.
  Status handle(const Event& event);
  void set_dags(Dags dags);
  /// The time goes on to `instant`, with every wake-up on the way.
  void advance_to(Micros instant);
  /// Forgets all but what is kept, and restores it. Tasks that ran are lost, or go on.
  void crash(bool processes_die);

  /// A process for the start that waits longest: Started.
  Start begin();
  Status finish(const Start& start, Finished::How how);
  /// begin() and success, until nothing waits.
  void run_all(Finished::How how = Finished::How::kSuccess);

  std::string state(const std::string& dag, const std::string& run, const std::string& task,
                    int map_index = -1) const;
  std::string state(const std::string& dag, const std::string& run) const;
  std::vector<std::string> run_ids(const std::string& dag) const;

  Scheduler& scheduler() { return *scheduler_; }
  const Kept& kept() const { return kept_; }
  Micros now() const { return now_; }

  std::deque<Start> waiting;         ///< starts that no process has taken
  std::vector<Start> running;        ///< begun, not finished
  std::vector<Start> begun;          ///< all, in order
  std::vector<Notice> notices;       ///< all
  std::vector<std::string> stopped;  ///< tasks, all
  int answers = 0;

 private:
  void take(Effects effects);

  Settings settings_;
  Dags dags_;
  Micros now_;
  Kept kept_;
  std::unique_ptr<Scheduler> scheduler_;
};

inline void Kept::apply(const Change& change) {
  struct Visitor {
    Kept& kept;
    void operator()(const DagRow& row) const { kept.dags[row.id] = row; }
    void operator()(const Run& row) const { kept.runs[row.id] = row; }
    void operator()(const TaskInstance& row) const { kept.tasks[row.id] = row; }
    void operator()(const AssetEvent& row) const { kept.events[row.id] = row; }
    void operator()(const Pool& row) const { kept.pools[row.name] = row; }
    void operator()(const Backfill& row) const { kept.backfills[row.id] = row; }
    void operator()(const Numbers& row) const { kept.numbers = row; }
    void operator()(const Gone& gone) const {
      if (const auto* run = std::get_if<RunId>(&gone.what)) {
        kept.runs.erase(*run);
        std::erase_if(kept.tasks, [&](const auto& entry) { return entry.first.run == *run; });
      } else if (const auto* task = std::get_if<TaskId>(&gone.what)) {
        kept.tasks.erase(*task);
      } else if (const auto* dag = std::get_if<GoneDag>(&gone.what)) {
        kept.dags.erase(dag->id);
        std::erase_if(kept.runs, [&](const auto& entry) { return entry.first.dag == dag->id; });
        std::erase_if(kept.tasks,
                      [&](const auto& entry) { return entry.first.run.dag == dag->id; });
        std::erase_if(kept.backfills,
                      [&](const auto& entry) { return entry.second.dag == dag->id; });
      } else {
        kept.pools.erase(std::get<std::string>(gone.what));
      }
    }
  };
  std::visit(Visitor{*this}, change);
}

inline std::vector<Change> Kept::to_restore(const Settings& settings) const {
  std::vector<Change> rows{numbers};
  for (const auto& [id, row] : dags) rows.emplace_back(row);
  for (const auto& [name, row] : pools) rows.emplace_back(row);
  for (const auto& [id, row] : backfills) {
    if (!row.completed_at) rows.emplace_back(row);
  }
  std::map<std::string, std::vector<const Run*>> finished;
  std::set<RunId> taken;
  for (const auto& [id, run] : runs) {
    if (run.state == RunState::kSuccess || run.state == RunState::kFailed) {
      finished[id.dag].push_back(&run);
    } else {
      taken.insert(id);
    }
  }
  for (auto& [dag, of] : finished) {
    std::ranges::sort(of, std::greater{}, [](const Run* run) { return run->ended_at; });
    // More than asked for: the tests' DAGs look back.
    std::size_t keep = std::min<std::size_t>(
        of.size(), static_cast<std::size_t>(std::max(settings.finished_runs_kept, 20)));
    for (std::size_t i = 0; i < keep; ++i) taken.insert(of[i]->id);
  }
  for (const RunId& id : taken) rows.emplace_back(runs.at(id));
  for (const auto& [id, row] : tasks) {
    if (taken.contains(id.run)) rows.emplace_back(row);
  }
  for (const auto& [id, dag] : dags) {
    for (std::int64_t event : dag.pending_asset_events) rows.emplace_back(events.at(event));
  }
  return rows;
}

inline std::vector<Change> Kept::to_recall(const Wanted& wanted) const {
  std::set<RunId> taken;
  std::optional<Micros> first = wanted.from;
  for (const auto& [id, run] : runs) {
    if (id.dag != wanted.dag || (wanted.run && *wanted.run != id.run)) continue;
    if (wanted.from && (!run.logical_date || *run.logical_date < *wanted.from)) continue;
    if (wanted.to && (!run.logical_date || *run.logical_date > *wanted.to)) continue;
    taken.insert(id);
    if (wanted.run) first = run.logical_date;
  }
  if (wanted.before && first) {
    std::map<Micros, const Run*> earlier;
    for (const auto& [id, run] : runs) {
      if (id.dag == wanted.dag && run.logical_date && *run.logical_date < *first) {
        earlier[*run.logical_date] = &run;
      }
    }
    for (auto at = earlier.rbegin(); at != earlier.rend(); ++at) {
      taken.insert(at->second->id);
      if (at->second->type != RunType::kManual) break;
    }
  }
  std::vector<Change> rows;
  for (const RunId& id : taken) {
    const Run& run = runs.at(id);
    if (run.state != RunState::kSuccess && run.state != RunState::kFailed) continue;
    rows.emplace_back(run);
    for (const auto& [task, row] : tasks) {
      if (task.run == id) rows.emplace_back(row);
    }
  }
  return rows;
}

inline Driver::Driver(Settings settings, Dags dags, Micros now)
    : settings_(settings), now_(now), scheduler_(std::make_unique<Scheduler>(settings)) {
  scheduler_->restore({});
  set_dags(std::move(dags));
}

inline void Driver::take(Effects effects) {
  ++answers;
  for (const Change& change : effects.changes) kept_.apply(change);
  for (const Stop& stop : effects.stops) {
    auto same = [&](const Start& start) { return start.task == stop.task; };
    std::erase_if(waiting, same);
    std::erase_if(running, same);
    stopped.push_back(stop.task.task);
  }
  for (const Start& start : effects.starts) waiting.push_back(start);
  for (Notice& notice : effects.notices) notices.push_back(std::move(notice));
}

inline Status Driver::handle(const Event& event) {
  for (const Wanted& wanted : scheduler_->wanted(event)) {
    scheduler_->recall(kept_.to_recall(wanted));
  }
  ASSIGN(Effects effects, scheduler_->handle(event, now_));
  take(std::move(effects));
  return {};
}

inline void Driver::set_dags(Dags dags) {
  dags_ = std::move(dags);
  take(scheduler_->set_dags(dags_, now_));
}

inline void Driver::advance_to(Micros instant) {
  for (int steps = 0;; ++steps) {
    ASSERT_LT(steps, 1'000'000) << "the clock does not get on";
    std::optional<Micros> wake = scheduler_->wake_at();
    if (!wake || *wake > instant) break;
    now_ = std::max(now_, *wake);
    take(scheduler_->tick(now_));
  }
  now_ = std::max(now_, instant);
  take(scheduler_->tick(now_));
}

inline void Driver::crash(bool processes_die) {
  waiting.clear();
  scheduler_ = std::make_unique<Scheduler>(settings_);
  scheduler_->restore(kept_.to_restore(settings_));
  take(scheduler_->set_dags(dags_, now_));
  if (!processes_die) return;
  for (const Start& start : std::exchange(running, {})) {
    ASSERT_TRUE(handle(Lost{start.task, start.try_number}));
  }
}

inline Start Driver::begin() {
  Start start = waiting.front();
  waiting.pop_front();
  Status started = handle(Started{start.task, start.try_number});
  EXPECT_TRUE(started) << started.error().what;
  running.push_back(start);
  begun.push_back(start);
  return start;
}

inline Status Driver::finish(const Start& start, Finished::How how) {
  std::erase_if(running, [&](const Start& other) { return other.task == start.task; });
  return handle(Finished{.task = start.task,
                         .try_number = start.try_number,
                         .how = how,
                         .at = {},
                         .skip = {},
                         .mapped_length = {},
                         .asset_extra = {},
                         .aliased = {}});
}

inline void Driver::run_all(Finished::How how) {
  while (!waiting.empty()) {
    Status finished = finish(begin(), how);
    ASSERT_TRUE(finished) << finished.error().what;
  }
}

inline std::string Driver::state(const std::string& dag, const std::string& run,
                                 const std::string& task, int map_index) const {
  auto found = kept_.tasks.find({{dag, run}, task, map_index});
  return found == kept_.tasks.end() ? "absent" : std::string(name(found->second.state));
}

inline std::string Driver::state(const std::string& dag, const std::string& run) const {
  auto found = kept_.runs.find({dag, run});
  return found == kept_.runs.end() ? "absent" : std::string(name(found->second.state));
}

inline std::vector<std::string> Driver::run_ids(const std::string& dag) const {
  std::vector<const Run*> found;
  for (const auto& [id, run] : kept_.runs) {
    if (id.dag == dag) found.push_back(&run);
  }
  std::ranges::sort(found, {}, [](const Run* run) { return run->number; });
  std::vector<std::string> ids;
  for (const Run* run : found) ids.push_back(run->id.run);
  return ids;
}

}  // namespace tailrace::sched::testing
