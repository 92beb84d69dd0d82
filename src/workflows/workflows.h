// A project's workflows at work: DAG files, the scheduler, what it keeps, and the tasks that run.
//
// One thread drives the scheduler; each task's try has a thread of a pool. Every step of the
// scheduler is kept before a task of it starts; after `kill -9` open() goes on where the kept rows
// say: tries that were under way are lost, what they left running is killed, and they are tried
// again as their retries allow (Airflow's zombies).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "dags/read.h"
#include "log/log.h"
#include "metadata/metadata.h"
#include "rt/clock.h"
#include "sched/scheduler.h"
#include "tasks/operator.h"

namespace tailrace::workflows {

struct Options {
  std::string folder;              ///< the project's; its DAG files are in dags/
  std::string data;                ///< logs below it: dags/logs/DAG/RUN/TASK[/INDEX]/TRY.log
  metadata::Place metadata = {};   ///< without URL: sqlite in `data`
  std::string python = "python3";  ///< of Python tasks
  tasks::Limits limits = {};       ///< of each task's processes
  sched::Settings scheduler = {};
  std::string only = {};  ///< one DAG's id: it alone is there, and runs when it is triggered only
  std::map<std::string, std::string> connections = {};  ///< id → URI or JSON, from tailrace.yml
  std::map<std::string, std::string> variables = {};
  /// 0: as many as the scheduler lets run; 1: one after the other, in the order of their starts.
  int tries_at_once = 0;
  /// What makes assets happen by itself (asset_sources.h): the log with the topics, which outlives
  /// the workflows, asked for when a DAG waits for one; the folder of the tables; HOST:PORT of the
  /// brokers that have the log.
  std::function<Result<log::Log*>()> log = {};
  std::string lake = {};
  std::vector<std::string> brokers = {};
};

class Workflows {
 public:
  /// Reads DAG files and what is kept. An Error when the files have a fatal finding: all of them,
  /// a line each.
  static Result<std::unique_ptr<Workflows>> open(Options options, tasks::ProjectAccess& project,
                                                 rt::Clock& clock);
  ~Workflows();

  Status start();
  /// Tasks under way are stopped after `grace`, and are tried again at the next start.
  void stop(std::chrono::milliseconds grace);

  /// From any thread; returns when it is kept. kInvalidArgument: its conf does not fit the DAG's
  /// params (params.h).
  Result<sched::RunId> trigger(sched::Trigger trigger);
  Status handle(sched::Event event);
  /// An asset happened: returns when the event is kept.
  Status happened(std::string uri, jinja::Value extra);
  /// All that is kept of a DAG goes, and it is not there until the DAG files are read again.
  /// kFailedPrecondition: tasks of it run.
  Status forget(const std::string& dag);
  /// Reads the DAG files again, as it does by itself when they change; what is wrong with them, if
  /// anything: then the DAGs stay as they are.
  std::vector<dags::Finding> reload();
  /// What the last reading of the DAG files found, and when it was.
  struct Reading {
    std::vector<dags::Finding> findings;
    sched::Micros at = 0;
  };
  Reading last_reading() const;

  std::vector<std::shared_ptr<const dags::Dag>> dags() const;
  /// For who has to answer somebody: Metadata::at_once.
  metadata::Metadata& metadata();
  /// Why nothing goes on just now, and calls below wait; empty: all goes well.
  std::string trouble();
  /// A copy of the scheduler's rows of a run with why each waiting task waits.
  struct View {
    sched::Run run;
    std::vector<sched::TaskInstance> tasks;
    std::vector<std::vector<std::string>> waits;
  };
  Result<View> view(const sched::RunId& run);
  std::vector<sched::DagRow> rows();
  std::vector<sched::Pool> pools();
  /// tailrace_workflow_… and tailrace_scheduler_…
  void write_metrics(MetricsText& out);
  const Options& options() const;
  sched::Micros now() const;
  sched::Micros began() const;  ///< when the program did

  /// A try's log from byte `offset`; with `wait` it comes when there is more, or the try is over.
  struct LogPart {
    std::string text;
    std::uint64_t next = 0;
    bool over = false;
  };
  Result<LogPart> log(const sched::TaskId& task, int try_number, std::uint64_t offset,
                      std::chrono::milliseconds wait);

  /// Called on the scheduler's thread after each step that changed something.
  void on_change(std::function<void()> changed);
  void on_notice(std::function<void(const sched::Notice&)> notice);

 private:
  class Impl;
  explicit Workflows(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::workflows
